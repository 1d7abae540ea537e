"""Callbacks of a training: refreshes of targets, measurements, progress, checkpoints at signals."""

from deepcluster_pl.training.callbacks.cluster_metrics import ClusterMetrics
from deepcluster_pl.training.callbacks.cosine_annealing import CosineAnnealing
from deepcluster_pl.training.callbacks.divergence import DivergenceStop
from deepcluster_pl.training.callbacks.empty_clusters import EmptyClusterWarning
from deepcluster_pl.training.callbacks.gradient_averaging import GradientAveraging
from deepcluster_pl.training.callbacks.interruption import InterruptionHandler
from deepcluster_pl.training.callbacks.kmeans_probe import KMeansProbe
from deepcluster_pl.training.callbacks.one_cycle import OneCycle
from deepcluster_pl.training.callbacks.progress import ProgressLine
from deepcluster_pl.training.callbacks.target_refresh import Refresh, RefreshListener, TargetRefresh
from deepcluster_pl.training.callbacks.weight_reset import WeightReset, shrink_and_perturb

__all__ = [
    "ClusterMetrics",
    "CosineAnnealing",
    "DivergenceStop",
    "EmptyClusterWarning",
    "GradientAveraging",
    "InterruptionHandler",
    "KMeansProbe",
    "OneCycle",
    "ProgressLine",
    "Refresh",
    "RefreshListener",
    "TargetRefresh",
    "WeightReset",
    "shrink_and_perturb",
]
