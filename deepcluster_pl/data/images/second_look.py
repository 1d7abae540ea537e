"""A second look at pictures that were read before: what other features measure of them, from a cache of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.discovery import FoundFile
from deepcluster_pl.data.images.extraction import ExtractedImage, ExtractionJob, ReadingProgress, extract_all
from deepcluster_pl.data.images.feature_cache import CacheEntry, FeatureCache, cache_folder
from deepcluster_pl.data.images.features import Features

_ROWS_AT_ONCE = 32
_SECONDS_AT_ONCE = 5.0


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
    folder = cache_folder(cache_dir, Path(job.root), features.recipe())
    cache = FeatureCache(folder, features.shape, features.dtype)
    with cache.lock():
        known = cache.load_index()
        new = {file.name: file for file in files if file not in known}
        progress = ReadingProgress(len(new), report)
        pending: list[tuple[FoundFile, ExtractedImage]] = []
        stored_at = time.monotonic()
        try:
            for name, outcome in extract_all(job, list(new), min(processes, len(new))):
                progress.step(isinstance(outcome, ExtractedImage))
                if isinstance(outcome, str):
                    continue
                pending.append((new[name], outcome))
                # Store a batch every few seconds, so that little is lost if the process is killed
                if len(pending) == _ROWS_AT_ONCE or time.monotonic() - stored_at > _SECONDS_AT_ONCE:
                    _store(cache, features, pending)
                    pending, stored_at = [], time.monotonic()
        finally:
            _store(cache, features, pending)
    row_of = {entry.file: row for row, entry in cache.entries.items()}
    found = [file for file in files if file in row_of]
    rows = cache.rows() if found else np.empty(0)
    return {file.name: np.array(rows[row_of[file]]) for file in found}


def _store(cache: FeatureCache, features: Features, images: Sequence[tuple[FoundFile, ExtractedImage]]) -> None:
    """Turn extracted pictures into rows and add them to the cache, without thumbnails."""
    if not images:
        return
    rows = features.to_samples(np.stack([image.extracted[0] for _, image in images]))
    entries = [CacheEntry(file, image.digest, image.metadata) for file, image in images]
    cache.append(list(rows), entries, [b""] * len(images))
