"""k-means beside every deep result: on the raw input, and on the pretrained code."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor

from deepcluster_pl.data.datamodule import ClusteringData, PartName
from deepcluster_pl.evaluation.predictions import Partition
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.nets.identity import Identity
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.determinism import deterministic_openmp
from deepcluster_pl.utils.random import sample_rows

Effort = Literal["auto", "full", "none"]
Features = Callable[[PartName, NDArray[np.int64]], NDArray[np.float32]]
"""Features (N, F) of the samples at some rows of a part."""
_FULL_N_INIT = 20
_FULL_ROWS, _SAMPLE_ROWS, _SAMPLE_N_INIT = 100_000, 50_000, 3


@dataclass(frozen=True)
class Baselines:
    """How to run k-means as the others do.

    Args:
        effort: full = 20 restarts on all fitted rows; auto = the same up to 100,000 rows, above that 3 restarts on
            50,000 of them; none = no baselines.
        n_clusters: K.
        seed: decides restarts and sample.
        cache_dir: partitions are kept here, named by the data's hash.
    """

    effort: Effort
    n_clusters: int
    seed: int
    cache_dir: Path

    def kmeans(self, data: ClusteringData, features: Features, cache_key: str | None) -> Partition | None:
        """Clusters of both parts, found on the fitted one; None where no baselines are wanted.

        Args:
            data: whose parts.
            features: of samples of a part.
            cache_key: what the result depends on beside K, seed and effort; None keeps it out of the cache.
        """
        if self.effort == "none":
            return None
        file = self._file(cache_key, len(data.part("fit"))) if cache_key else None
        kept = _read(file, data.parts) if file is not None else None
        if kept is not None:
            return kept
        found = self._fit(data, features)
        if file is not None:
            with atomic_write(file, "wb") as out:
                np.savez(out, **found)  # type: ignore[arg-type]
        return found

    def samples(self, n: int) -> bool:
        """Whether k-means looks at a sample of n rows only."""
        return self.effort == "auto" and n > _FULL_ROWS

    def kmeans_on(self, n: int) -> KMeans:
        """The k-means that n rows are given."""
        return KMeans(
            self.n_clusters, n_init=_SAMPLE_N_INIT if self.samples(n) else _FULL_N_INIT, random_state=self.seed
        )

    def describe(self, n: int) -> dict[str, int] | None:
        """How the baselines of n rows are run; None where there are none."""
        if self.effort == "none":
            return None
        return {"n_init": self.kmeans_on(n).n_init, "rows": _SAMPLE_ROWS if self.samples(n) else n}

    def _fit(self, data: ClusteringData, features: Features) -> Partition:
        n = len(data.part("fit"))
        rows = sample_rows(n, _SAMPLE_ROWS if self.samples(n) else None, self.seed)
        samples = features("fit", rows)
        with deterministic_openmp():
            kmeans = self.kmeans_on(n).fit(samples)

        def predicted(name: PartName) -> NDArray[np.int64]:
            chunks = data.part(name).slices(data.rows_at_once)
            return np.concatenate([kmeans.predict(features(name, some)) for some in chunks])

        return {name: kmeans.labels_ if name == "fit" and len(rows) == n else predicted(name) for name in data.parts}

    def _file(self, cache_key: str, n: int) -> Path:
        text = f"{cache_key} {self.n_clusters} {self.seed} {self.describe(n)}"
        return self.cache_dir / "baselines" / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.npz"


def _read(file: Path, parts: list[PartName]) -> Partition | None:
    """A kept partition; None where there is none, or where it is damaged and has to be made again."""
    try:
        with np.load(file, allow_pickle=False) as kept:
            return {name: kept[name] for name in parts}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        return None


def baseline_partitions(
    baselines: Baselines,
    data: ClusteringData,
    method: ClusteringModule,
    clusterer: Any,
    codes: dict[PartName, Tensor],
    started: Partition,
) -> tuple[Partition | None, Partition | None]:
    """k-means on the input and on the pretrained code; None where it would only repeat the method.

    Args:
        baselines: how to run it.
        data: what to run it on.
        method: the method they stand beside.
        clusterer: its start; None where the start changed the code, so that its partition is none of `codes`.
        codes: embeddings of each part as they were before the fit.
        started: the start's partition, which already is the baseline on the code if the start is that same k-means.
    """
    on_input = isinstance(method.net, Identity)
    start_is_kmeans = isinstance(clusterer, KMeans)
    raw = coded = None
    if not (on_input and start_is_kmeans and not method.learns):
        raw = baselines.kmeans(data, data.prepared, f"{data.fingerprint()} raw" if baselines.effort != "none" else None)
    if not on_input and not (start_is_kmeans and not method.learns) and baselines.effort != "none":
        repeats = start_is_kmeans and clusterer.get_params() == baselines.kmeans_on(len(codes["fit"])).get_params()
        coded = started if repeats else baselines.kmeans(data, lambda name, rows: codes[name][rows].cpu().numpy(), None)
    return raw, coded
