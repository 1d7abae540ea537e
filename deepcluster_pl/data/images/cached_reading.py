"""Read pictures into a cache, a batch every few seconds, so that little is lost where the process is killed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from deepcluster_pl.data.images.discovery import FoundFile
from deepcluster_pl.data.images.extraction import ExtractedImage, ExtractionJob, ReadingProgress, extract_all
from deepcluster_pl.data.images.feature_cache import CacheEntry, FeatureCache

_MOST_ROWS = 256
_MOST_BYTES = 64 * 2**20
_SECONDS = 5.0


def read_into(
    cache: FeatureCache,
    job: ExtractionJob,
    files: Sequence[FoundFile],
    processes: int,
    progress: ReadingProgress,
    skipped: dict[str, str],
    strict: bool = False,
) -> None:
    """Add pictures to a cache; those read before an error or Ctrl-C stay there.

    Args:
        cache: that lacks them; its rows have the shape of the job's features, and copies if it makes any.
        job: the work on each file.
        files: the pictures.
        processes: number of processes that decode; 0 decodes in this one.
        progress: counts each file.
        skipped: gets the reason for each file that cannot be read.
        strict: end with the first file that cannot be read.
    """
    by_name = {file.name: file for file in files}
    pending: list[tuple[FoundFile, ExtractedImage]] = []
    stored_at = time.monotonic()
    try:
        for name, outcome in extract_all(job, list(by_name), min(processes, len(files))):
            progress.step(isinstance(outcome, ExtractedImage))
            if isinstance(outcome, str):
                skipped[name] = outcome
                if strict:
                    return
                continue
            pending.append((by_name[name], outcome))
            most = min(_MOST_ROWS, 1 + _MOST_BYTES // max(1, outcome.extracted.nbytes))
            if len(pending) >= most or time.monotonic() - stored_at > _SECONDS:
                _store(cache, job, pending, skipped)
                pending, stored_at = [], time.monotonic()
    finally:
        _store(cache, job, pending, skipped)


def _store(
    cache: FeatureCache,
    job: ExtractionJob,
    images: Sequence[tuple[FoundFile, ExtractedImage]],
    skipped: dict[str, str],
) -> None:
    """Turn extracted pictures into samples and add them to the cache; those that are not finite are skipped."""
    if not images:
        return
    # A picture and its copies are rows of one batch, and become one row of the cache
    extracted = np.stack([image.extracted for _, image in images])
    samples = job.features.to_samples(extracted.reshape(-1, *extracted.shape[2:]))
    samples = samples.reshape(len(images), *cache.shape)
    finite = [bool(np.isfinite(sample).all()) for sample in samples]
    for (file, _), is_finite in zip(images, finite, strict=True):
        if not is_finite:
            skipped[file.name] = "what is measured of it is not finite"
    chosen = [i for i, is_finite in enumerate(finite) if is_finite]
    entries = [CacheEntry(images[i][0], images[i][1].digest, images[i][1].metadata) for i in chosen]
    cache.append([samples[i] for i in chosen], entries, [images[i][1].thumbnail for i in chosen])
