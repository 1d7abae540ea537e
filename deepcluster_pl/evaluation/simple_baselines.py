"""Simple baselines of every result: a mixture on principal components of the input, and a cut of its neighbor graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.predictions import Partition
from deepcluster_pl.functional.block_components import moments
from deepcluster_pl.functional.work_device import work_device
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.initial_clustering import fit_initialization
from deepcluster_pl.methods.initialization.neighbor_graph import NeighborGraph
from deepcluster_pl.methods.predictor import Predictor
from deepcluster_pl.methods.shallow import ShallowClustering
from deepcluster_pl.nets.block_pca import PCA
from deepcluster_pl.utils.random import sample_rows

_MOST_FEATURES = 4096
_MOST_VALUES = 10_000 * 4096
_FEW_ROWS, _N_INIT_OF_FEW, _N_INIT_OF_MANY = 2_000, 10, 3


@dataclass(frozen=True)
class SimpleBaseline:
    """A method without training, as its recipe in `conf/method/` describes it.

    Attributes:
        name: name of the recipe, and of the baseline in scores.json.
        title: name in tables.
        n_components: principal components of the input.
        make_clusterer: makes the clusterer from K, the seed and the number of fitted rows.
    """

    name: str
    title: str
    n_components: int
    make_clusterer: Callable[[int, int, int], Any]


def _mixture(n_clusters: int, seed: int, n: int) -> GaussianMixture:
    """Make the mixture of `method=pca_gmm`, with fewer restarts where there are many rows."""
    n_init = _N_INIT_OF_FEW if n <= _FEW_ROWS else _N_INIT_OF_MANY
    return GaussianMixture(n_clusters, max_iter=200, n_init=n_init, reg_covar=0.1, random_state=seed)


def _graph(n_clusters: int, seed: int, n: int) -> NeighborGraph:
    """Make the graph of `method=graph`."""
    return NeighborGraph(n_clusters, random_state=seed)


SIMPLE = (
    SimpleBaseline("pca_gmm", "mixture on components", 30, _mixture),
    SimpleBaseline("graph", "graph of neighbors", 50, _graph),
)
"""All of them, in the order in which they are shown."""


def simple_partition(
    baseline: SimpleBaseline, data: ClusteringData, n_clusters: int, seed: int, sample_size: int
) -> Partition | None:
    """Cluster the fitted part by a simple method, and assign the samples of both parts, as a run of that method does.

    Args:
        baseline: the method.
        data: the data.
        n_clusters: K.
        seed: decides restarts and sample.
        sample_size: rows that are fitted; a seeded sample where there are more.

    Returns:
        Cluster (N,) of every sample, by part; None where there are too many features, or the method finds no partition.
    """
    if data.n_features > _MOST_FEATURES:
        return None
    n = len(data.part("fit"))
    rows = sample_rows(n, sample_size, seed)
    samples = data.prepared("fit", rows)
    # The components, from the rows that are fitted
    net = PCA((data.n_features,), None, baseline.n_components, 0.0, None, [])
    chunks = np.array_split(np.arange(len(rows)), max(1, samples.size // _MOST_VALUES))
    net.measure_components(*moments(lambda chunk: samples[chunk], chunks), np.ones(data.n_features))
    with torch.no_grad():
        z = net.encode(torch.from_numpy(samples))
    # The partition of those rows, then of all
    method = ShallowClustering(net, baseline.name, n_clusters)
    try:
        start = fit_initialization(baseline.make_clusterer(n_clusters, seed, len(rows)), z)
    except UserError:
        return None
    if len(start.centers) != n_clusters:
        return None
    method.initialize(start)
    predictor = Predictor(method, work_device())

    def predict(name: PartName) -> NDArray[np.int64]:
        chunks = data.part(name).slices(data.rows_at_once)
        return np.concatenate([predictor(data.prepared(name, chunk))[1].argmax(axis=1) for chunk in chunks])

    return {name: predict(name) for name in data.parts}


def is_same_method(baseline: SimpleBaseline, method: ClusteringModule, clusterer: Any) -> bool:
    """Return True if a run's method is this baseline, so that a row of its own would only repeat it.

    Args:
        baseline: the baseline.
        method: the method of the run.
        clusterer: the one of its initialization.

    Returns:
        Whether both are the same kind of clusterer on principal components, with nothing trained.
    """
    kind = type(baseline.make_clusterer(1, 0, 1))
    full = getattr(clusterer, "covariance_type", "full") == "full"
    return not method.learns and isinstance(method.net, PCA) and isinstance(clusterer, kind) and full
