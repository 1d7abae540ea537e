"""Predictions of a trained method for every sample: embedding, cluster, confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.predictor import Predictor
from deepcluster_pl.nets.embedding import embed_part


@dataclass(frozen=True)
class Prediction:
    """Predictions for one part of the data, on the CPU.

    Attributes:
        z: embeddings (N, D).
        clusters: cluster (N,) of each sample, from 0 to K-1.
        confidence: probability (N,) of that cluster, 0 … 1.
        runner_up: probability (N,) of the second most probable cluster; zeros where there is one cluster only.
    """

    z: Tensor
    clusters: Tensor
    confidence: Tensor
    runner_up: Tensor

    @property
    def doubt(self) -> NDArray[np.float32]:
        """Return the ratio (N,) of the second probability to the first: 0 is certain, 1 is a tie.

        The ratio compares two clusters only, so soft assignments over many clusters do not raise it.
        """
        return (self.runner_up / self.confidence.clamp_min(1e-12)).numpy()


Predictions = dict[PartName, Prediction]
Partition = dict[PartName, NDArray[np.int64]]
"""Cluster (N,) of every sample, by part."""


@torch.no_grad()
def assign_all(module: ClusteringModule, embeddings: dict[PartName, Tensor]) -> Predictions:
    """Assign the samples of each part to clusters.

    Args:
        module: the method.
        embeddings: embeddings (N, D) of each part.

    Returns:
        Predictions of each part, on the CPU.
    """
    return {name: _prediction(z, module.assign_all(z)) for name, z in embeddings.items()}


def predict_all(module: ClusteringModule, data: ClusteringData) -> Predictions:
    """Compute a trained method's final predictions of each part, in float64; see `Predictor`.

    Args:
        module: the trained method.
        data: the data.

    Returns:
        Predictions of each part, on the CPU, stored in float32.
    """
    predictor = Predictor(module, module.net.shift.device)
    return {name: _prediction(*predictor.part(data, name)) for name in data.parts}


def _prediction(z: Tensor, probabilities: Tensor) -> Prediction:
    """Return the prediction that probabilities (N, K) of embeddings (N, D) come to."""
    confidence, clusters = probabilities.max(dim=1)
    # Without the winner, the largest probability is the second one
    runner_up = probabilities.scatter(1, clusters[:, None], 0).amax(dim=1)
    return Prediction(z.float().cpu(), clusters.cpu(), confidence.float().cpu(), runner_up.float().cpu())


def embed_all(module: ClusteringModule, data: ClusteringData) -> dict[PartName, Tensor]:
    """Compute the embeddings of each part.

    Args:
        module: the method.
        data: the data.

    Returns:
        Embeddings (N, D) in float32 of each part, on the module's device.
    """
    return {name: embed_part(module.net, data, name) for name in data.parts}


def partition_from(predictions: Predictions) -> Partition:
    """Return the clusters of predictions, without embeddings and confidence."""
    return {name: prediction.clusters.numpy() for name, prediction in predictions.items()}
