"""Samples of given picture files for a trained model, without a cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.extraction import ExtractedImage, ExtractionJob, extract_all
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.data.images.opening import MAX_MEGAPIXELS


def measure_pictures(
    features: Features, root: Path, names: list[str], max_megapixels: float = MAX_MEGAPIXELS, processes: int = 0
) -> tuple[NDArray[Any], dict[str, str]]:
    """Turn files into samples for a trained model.

    Args:
        features: those of the model; see `deepcluster_pl.methods.serialization.load_features`.
        root: folder that names begin at.
        names: files.
        max_megapixels: limit above which pictures are not decoded.
        processes: number of processes that decode; 0 decodes in this one.

    Returns:
        Samples (N, *shape) of the files that can be read, in their order, and the reason for each that cannot.
    """
    features.check()
    job = ExtractionJob(os.fspath(root), features, 0, max_megapixels)
    outcomes = list(extract_all(job, names, processes))
    readable = [outcome.extracted[0] for _, outcome in outcomes if isinstance(outcome, ExtractedImage)]
    samples = features.to_samples(np.stack(readable)) if readable else np.empty((0, *features.shape), features.dtype)
    return samples, {name: outcome for name, outcome in outcomes if isinstance(outcome, str)}
