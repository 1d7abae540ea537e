"""What a trained method says of every sample: its embedding, its cluster, how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.methods.base import ClusteringModule


@dataclass(frozen=True)
class Prediction:
    """One part of the data, on the CPU.

    Attributes:
        z: embeddings (N, D).
        clusters: (N,) from 0 to K-1.
        confidence: (N,) share of the winning cluster, 0 … 1.
    """

    z: Tensor
    clusters: Tensor
    confidence: Tensor


Predictions = dict[PartName, Prediction]
Partition = dict[PartName, NDArray[np.int64]]
"""Cluster (N,) of every sample, by part."""


@torch.no_grad()
def assign_all(module: ClusteringModule, codes: dict[PartName, Tensor]) -> Predictions:
    """Assign embeddings (N, D) of each part."""
    found: Predictions = {}
    for name, z in codes.items():
        confidence, clusters = module.assign(z).max(dim=1)
        found[name] = Prediction(z.cpu(), clusters.cpu(), confidence.cpu())
    return found


def embed_all(module: ClusteringModule, data: ClusteringData) -> dict[PartName, Tensor]:
    """Embeddings of each part, on the module's device."""
    return {name: module.embed(data.loader(name)) for name in data.parts}


def partition_of(predictions: Predictions) -> Partition:
    """Just the clusters."""
    return {name: prediction.clusters.numpy() for name, prediction in predictions.items()}
