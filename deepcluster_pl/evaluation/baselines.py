"""Baselines of every result: k-means on input and on pretrained embeddings, a mixture, and a graph of neighbors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.data.sources.numpy_files import read_npz
from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.predictions import Partition
from deepcluster_pl.evaluation.simple_baselines import SIMPLE, SimpleBaseline, is_same_method, simple_partition
from deepcluster_pl.functional.accelerated import accelerated
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.nets.identity import Identity
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.determinism import deterministic_openmp
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.run_warnings import RunWarnings

Effort = Literal["auto", "full", "none"]
Features = Callable[[PartName, NDArray[np.int64]], NDArray[np.float32]]
"""Features (N, F) of the samples at some rows of a part."""
_FULL_N_INIT = 20
_FULL_ROWS, _SAMPLE_ROWS, _SAMPLE_N_INIT = 70_000, 50_000, 3
_SIMPLE_ROWS = 10_000
_REPORTED_ROWS = 5_000
"""Above this many rows a line says which baseline is being computed."""


@dataclass(frozen=True)
class Baselines:
    """Settings of the baselines that results are compared with.

    Args:
        effort: full = 20 restarts of k-means on all fitted rows; auto = the same up to 70,000 rows, above that 3
            restarts on 50,000 of them, and mixture and graph on 10,000 rows at most; none = no baselines.
        n_clusters: K.
        seed: decides restarts and sample.
        cache_dir: folder of the partitions that were computed already, named by the data's hash.
        warnings: collects the failures of the cache.
    """

    effort: Effort
    n_clusters: int
    seed: int
    cache_dir: Path
    warnings: RunWarnings

    def kmeans(self, data: ClusteringData, features: Features, cache_key: str | None) -> Partition | None:
        """Cluster the fitted part, and assign the samples of both parts.

        Args:
            data: the data.
            features: returns the features of some samples of a part.
            cache_key: text that changes with the features; None keeps the result out of the cache.

        Returns:
            Cluster (N,) of every sample, by part; None where no baselines are wanted.
        """
        if self.effort == "none":
            return None
        file = self._file(cache_key, self._effort(len(data.part("fit")))) if cache_key else None
        return self._cached("k-means", file, data, lambda: self._fit(data, features))

    def simple(self, baseline: SimpleBaseline, data: ClusteringData) -> Partition | None:
        """Cluster the fitted part by a simple method on the prepared input, and assign the samples of both parts.

        Args:
            baseline: the method.
            data: the data.

        Returns:
            Cluster (N,) of every sample, by part; None where no baselines are wanted, or this one has no result.
        """
        if self.effort == "none":
            return None
        rows = self.simple_rows(len(data.part("fit")))
        file = self._file(f"{data.fingerprint()} {baseline.name}", rows)
        title = f"{baseline.title} on {rows:,}"
        return self._cached(
            title, file, data, lambda: simple_partition(baseline, data, self.n_clusters, self.seed, rows)
        )

    def _cached(
        self, title: str, file: Path | None, data: ClusteringData, make: Callable[[], Partition | None]
    ) -> Partition | None:
        """Return the partition in the file of the cache; else make it and store it, and print a line if it is long."""
        cached = _read(file, {name: len(data.part(name)) for name in data.parts}) if file is not None else None
        if cached is not None:
            return cached
        if (n := len(data.part("fit"))) > _REPORTED_ROWS:
            data.report(f"baseline: {title} of {n:,} samples")
        partition = make()
        if file is not None and partition is not None:
            with self.warnings.attempt(f"{file} of cache_dir"), atomic_write(file, "wb") as out:
                np.savez(out, checksum=_checksum(partition), **partition)  # type: ignore[arg-type]
        return partition

    def samples(self, n: int) -> bool:
        """Return True if k-means is fitted to a sample of n rows only."""
        return self.effort == "auto" and n > _FULL_ROWS

    def kmeans_on(self, n: int) -> KMeans:
        """Return the k-means that n rows are clustered with, not fitted yet."""
        return KMeans(
            self.n_clusters, n_init=_SAMPLE_N_INIT if self.samples(n) else _FULL_N_INIT, random_state=self.seed
        )

    def simple_rows(self, n: int) -> int:
        """Return the number of rows that mixture and graph are fitted to, where there are n."""
        return min(n, _SIMPLE_ROWS) if self.effort == "auto" else n

    def describe(self, n: int) -> dict[str, int] | None:
        """Return restarts and rows of k-means for n rows, and rows of mixture and graph; None without baselines."""
        if self.effort == "none":
            return None
        return {**self._effort(n), "simple_rows": self.simple_rows(n)}

    def _effort(self, n: int) -> dict[str, int]:
        """Return restarts and rows of k-means for n rows."""
        return {"n_init": self.kmeans_on(n).n_init, "rows": _SAMPLE_ROWS if self.samples(n) else n}

    def _fit(self, data: ClusteringData, features: Features) -> Partition:
        """Fit k-means to the fitted part or a sample of it, and assign everything else chunk by chunk."""
        n = len(data.part("fit"))
        rows = sample_rows(n, _SAMPLE_ROWS if self.samples(n) else None, self.seed)
        samples = features("fit", rows)
        with deterministic_openmp():
            kmeans = accelerated(self.kmeans_on(n)).fit(samples)

        def predict(name: PartName) -> NDArray[np.int64]:
            chunks = data.part(name).slices(data.rows_at_once)
            return np.concatenate([kmeans.predict(features(name, chunk)) for chunk in chunks])

        return {name: kmeans.labels_ if name == "fit" and len(rows) == n else predict(name) for name in data.parts}

    def _file(self, cache_key: str, effort: object) -> Path:
        """Return the cache's file for features of this key, and for restarts and rows."""
        text = f"{cache_key} {self.n_clusters} {self.seed} {effort}"
        return self.cache_dir / "baselines" / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.npz"


def _read(file: Path, sizes: dict[PartName, int]) -> Partition | None:
    """Read a cached partition; None where there is none, or where it is damaged and has to be computed again."""
    try:
        arrays = read_npz(file, ["checksum", *sizes])
        partition: Partition = {name: arrays[name] for name in sizes}
        intact = bytes(arrays["checksum"]) == bytes(_checksum(partition))
    except (UserError, KeyError, ValueError):
        return None
    return partition if intact and {name: len(clusters) for name, clusters in partition.items()} == sizes else None


def _checksum(partition: Partition) -> NDArray[np.uint8]:
    """Return the SHA-256 of a partition, with its names, types and shapes."""
    digest = hashlib.sha256()
    for name in sorted(partition):
        clusters = partition[name]
        digest.update(f"{name} {clusters.dtype.str} {clusters.shape} ".encode())
        digest.update(np.ascontiguousarray(clusters).data)
    return np.frombuffer(digest.digest(), dtype=np.uint8)


def baseline_partitions(
    baselines: Baselines,
    data: ClusteringData,
    method: ClusteringModule,
    clusterer: Any,
    embeddings: dict[PartName, Tensor],
    initial: Partition,
) -> tuple[Partition | None, Partition | None]:
    """Run k-means on the input and on the pretrained embeddings, except where it would only repeat the method.

    Args:
        baselines: settings of k-means.
        data: the data.
        method: the method that is compared with them.
        clusterer: the one of the initialization; None where that changed the embeddings, so that its partition is not
            one of `embeddings`.
        embeddings: embeddings (N, D) of each part before the fit.
        initial: partition of the initialization; it is the second baseline if its clusterer is that same k-means.

    Returns:
        Partitions on the input and on the embeddings; None for one that is not wanted or would repeat the method.
    """
    on_input = isinstance(method.net, Identity)
    initial_is_kmeans = isinstance(clusterer, KMeans)
    is_kmeans = initial_is_kmeans and not method.learns  # the method itself is k-means on its embeddings
    raw = embedded = None
    if not (on_input and is_kmeans):
        raw = baselines.kmeans(data, data.prepared, f"{data.fingerprint()} raw" if baselines.effort != "none" else None)
    if not on_input and not is_kmeans and baselines.effort != "none":
        own = baselines.kmeans_on(len(embeddings["fit"]))
        if initial_is_kmeans and clusterer.get_params() == own.get_params():
            embedded = initial  # the same k-means on the same embeddings
        else:
            embedded = baselines.kmeans(data, lambda name, rows: embeddings[name][rows].cpu().numpy(), None)
    return raw, embedded


def simple_partitions(
    baselines: Baselines, data: ClusteringData, method: ClusteringModule, clusterer: Any, known: Mapping[str, Partition]
) -> dict[str, Partition | None]:
    """Run mixture and graph on the input, except where that is known or would only repeat the method.

    Args:
        baselines: settings.
        data: the data.
        method: the method that is compared with them.
        clusterer: the one of its initialization; None where that changed the embeddings.
        known: partitions that the run has made already, by name of their recipe.

    Returns:
        Their partitions by name; None for one that is not wanted, has no result, or would repeat the method.
    """
    found: dict[str, Partition | None] = {}
    for baseline in SIMPLE:
        if baseline.name in known and baselines.effort != "none":
            found[baseline.name] = known[baseline.name]
        elif is_same_method(baseline, method, clusterer):
            found[baseline.name] = None
        else:
            found[baseline.name] = baselines.simple(baseline, data)
    return found
