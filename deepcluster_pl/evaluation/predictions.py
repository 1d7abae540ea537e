"""What a trained method says of every sample: its embedding, its cluster, how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcluster_pl.data.datamodule import ClusteringData, PartName
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.nets.embed import embed_part


@dataclass(frozen=True)
class Prediction:
    """One part of the data, on the CPU.

    Attributes:
        z: embeddings (N, D).
        clusters: (N,) from 0 to K-1.
        confidence: (N,) share of the winning cluster, 0 … 1.
        runner_up: (N,) share of the second; zeros where there is one cluster only.
    """

    z: Tensor
    clusters: Tensor
    confidence: Tensor
    runner_up: Tensor

    @property
    def doubt(self) -> NDArray[np.float32]:
        """How near the second cluster comes to the winning one (N,): 0 = not at all, 1 = a tie; softness has no say."""
        return (self.runner_up / self.confidence.clamp_min(1e-12)).numpy()


Predictions = dict[PartName, Prediction]
Partition = dict[PartName, NDArray[np.int64]]
"""Cluster (N,) of every sample, by part."""


@torch.no_grad()
def assign_all(module: ClusteringModule, codes: dict[PartName, Tensor]) -> Predictions:
    """Assign embeddings (N, D) of each part."""
    found: Predictions = {}
    for name, z in codes.items():
        shares = module.assign_all(z)
        confidence, clusters = shares.max(dim=1)
        shares.scatter_(1, clusters[:, None], 0)
        found[name] = Prediction(z.cpu(), clusters.cpu(), confidence.cpu(), shares.amax(dim=1).cpu())
    return found


def embed_all(module: ClusteringModule, data: ClusteringData) -> dict[PartName, Tensor]:
    """Embeddings of each part, on the module's device."""
    return {name: embed_part(module.net, data, name) for name in data.parts}


def partition_from(predictions: Predictions) -> Partition:
    """Just the clusters."""
    return {name: prediction.clusters.numpy() for name, prediction in predictions.items()}
