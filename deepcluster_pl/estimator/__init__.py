"""The scikit-learn interface: any recipe as an estimator."""

from deepcluster_pl.estimator.deep_clustering import DeepClustering

__all__ = ["DeepClustering"]
