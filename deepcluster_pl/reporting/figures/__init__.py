"""Pictures of a run, drawn from its data, its predictions and its curves; none of them needs a screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.datamodule import ClusteringData, PartName
from deepcluster_pl.evaluation.metrics import known_labels
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.evaluation.projection import Map
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.reporting.figures.centers import center_pictures, decoded_centers
from deepcluster_pl.reporting.figures.confusion import confusion_matrix
from deepcluster_pl.reporting.figures.curves import curves
from deepcluster_pl.reporting.figures.embedding_map import embedding_map
from deepcluster_pl.reporting.figures.samples import central_members, reconstructions
from deepcluster_pl.utils.csv_logger import read_curves
from deepcluster_pl.utils.image_layout import is_image

__all__ = ["save_figures", "save_reconstructions"]


def save_figures(
    folder: Path,
    data: ClusteringData,
    method: ClusteringModule,
    predictions: Predictions,
    places: NDArray[np.float32],
    kind: Map,
) -> None:
    """Write what there is to show of a finished run into figures/.

    map.png, the fitted part at `places` (N, 2) of a `kind` of map; members.png, where samples are images, and
    centers.png, where centers can be decoded as well; confusion.png, where there are labels, of the held-out part if
    there is one; curves.png, where the stages left a metrics.csv.
    """
    figures, n_clusters = _made(folder), method.n_clusters
    embedding_map(places, predictions["fit"], n_clusters, kind).savefig(figures / "map.png")
    if is_image(data.input_shape):
        central_members(data, predictions["fit"], n_clusters).savefig(figures / "members.png")
        if (centers := decoded_centers(method)) is not None:
            center_pictures(centers).savefig(figures / "centers.png")
    part: PartName = "holdout" if "holdout" in data.parts else "fit"
    labels = data.part(part).labels
    if labels is not None and known_labels(labels).any():
        known = known_labels(labels)
        clusters = predictions[part].clusters.numpy()[known]
        title = "Held-out samples" if part == "holdout" else "Fitted samples"
        confusion_matrix(labels[known].astype(str), clusters, title).savefig(figures / "confusion.png")
    found = read_curves([folder / stage / "metrics.csv" for stage in ("pretrain", "fit")])
    if found:
        curves(found).savefig(figures / "curves.png")


def save_reconstructions(folder: Path, data: ClusteringData, net: Autoencoder) -> None:
    """Write figures/reconstructions.png, where samples are images and the net has a decoder that was trained."""
    if is_image(data.input_shape):
        reconstructions(data, net).savefig(_made(folder) / "reconstructions.png")


def _made(folder: Path) -> Path:
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    return folder / "figures"
