"""Write the figures of a run into its folder; no screen is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.evaluation.projection import Map
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.reporting.confusion import confusion_of_run
from deepcluster_pl.reporting.figures.centers import decode_centers, draw_centers
from deepcluster_pl.reporting.figures.confusion import draw_confusion
from deepcluster_pl.reporting.figures.curves import draw_curves
from deepcluster_pl.reporting.figures.embedding_map import draw_embedding_map
from deepcluster_pl.reporting.figures.samples import draw_central_members, draw_reconstructions
from deepcluster_pl.utils.csv_logger import read_curves
from deepcluster_pl.utils.image_layout import is_image


def save_figures(
    folder: Path,
    data: ClusteringData,
    method: ClusteringModule,
    predictions: Predictions,
    places: NDArray[np.float32],
    kind: Map,
) -> None:
    """Write the figures of a finished run into figures/.

    map.png shows the fitted part. members.png and centers.png need samples that are images, centers.png a decoder
    that was trained with the centers. confusion.png needs labels. curves.png needs the metrics.csv of a stage.

    Args:
        folder: run folder.
        data: held-out labels are shown in confusion.png, or fitted ones where none are held out.
        method: its centers are decoded.
        predictions: of each part.
        places: point (N, 2) of every fitted sample on the map.
        kind: of map.
    """
    figures, n_clusters = _figures_folder(folder), method.n_clusters
    draw_embedding_map(places, predictions["fit"], n_clusters, kind).savefig(figures / "map.png")
    if is_image(data.input_shape):
        draw_central_members(data, predictions["fit"], n_clusters).savefig(figures / "members.png")
        if (centers := decode_centers(method)) is not None:
            draw_centers(centers).savefig(figures / "centers.png")
    if (found := confusion_of_run(data, predictions)) is not None:
        part, confusion = found
        title = "Held-out samples" if part == "holdout" else "Fitted samples"
        draw_confusion(confusion, title).savefig(figures / "confusion.png")
    curves = read_curves([folder / stage / "metrics.csv" for stage in ("pretrain", "fit")])
    if curves:
        draw_curves(curves).savefig(figures / "curves.png")


def save_reconstructions(folder: Path, data: ClusteringData, net: Autoencoder) -> None:
    """Write figures/reconstructions.png, where samples are images.

    Args:
        folder: run folder.
        data: samples to reconstruct.
        net: an autoencoder whose decoder was trained.
    """
    if is_image(data.input_shape):
        draw_reconstructions(data, net).savefig(_figures_folder(folder) / "reconstructions.png")


def _figures_folder(folder: Path) -> Path:
    """Create the folder of figures in a run folder, and return it."""
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    return folder / "figures"
