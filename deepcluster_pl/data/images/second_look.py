"""A second look at pictures that were read before: what other features measure of them, from a cache of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.cached_reading import read_into
from deepcluster_pl.data.images.discovery import FoundFile
from deepcluster_pl.data.images.extraction import ExtractionJob, ReadingProgress
from deepcluster_pl.data.images.feature_cache import FeatureCache, cache_folder


def look_again(
    job: ExtractionJob,
    files: Sequence[FoundFile],
    cache_dir: Path,
    processes: int,
    report: Callable[[str], object],
) -> dict[str, NDArray[Any]]:
    """Return what features measure of files; those that are in the cache are not read again.

    Args:
        job: root and features; it makes no copies.
        files: as they were when read before.
        cache_dir: folder of all caches.
        processes: number of processes that decode; 0 decodes in this one.
        report: function that takes a line about the progress.

    Returns:
        Row by name. Files that can no longer be read are missing.
    """
    features = job.features
    cache = FeatureCache(
        cache_folder(cache_dir, Path(job.root), features.recipe()), (1, *features.shape), features.dtype
    )
    with cache.lock():
        known = cache.load_index()
        new = [file for file in files if file not in known]
        read_into(cache, job, new, processes, ReadingProgress(len(new), report), {})
    row_of = {entry.file: row for row, entry in cache.entries.items()}
    found = [file for file in files if file in row_of]
    rows = cache.rows() if found else np.empty((0, 1))
    return {file.name: np.array(rows[row_of[file], 0]) for file in found}
