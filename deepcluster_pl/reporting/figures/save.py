"""Write the figures of a run into its folder; no screen is needed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
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
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.csv_logger import read_curves
from deepcluster_pl.utils.image_layout import is_image
from deepcluster_pl.utils.run_folder import RunFolder
from deepcluster_pl.utils.run_warnings import RunWarnings


def save_figures(
    folder: Path,
    data: ClusteringData,
    method: ClusteringModule,
    predictions: Predictions,
    places: NDArray[np.float32],
    kind: Map,
    failures: RunWarnings,
    logs: RunFolder | None = None,
) -> None:
    """Write the figures of a finished run into figures/; one that fails is a warning.

    map.png shows the fitted part. members.png and centers.png need samples that are images, centers.png a decoder
    that was trained with the centers. confusion.png needs labels. curves.png needs the metrics.csv of a stage.

    Args:
        folder: run folder.
        data: held-out labels are shown in confusion.png, or fitted ones where none are held out.
        method: its centers are decoded.
        predictions: of each part.
        places: point (N, 2) of every fitted sample on the map.
        kind: of map.
        failures: collects the warnings.
        logs: folder of the curves; None = the run folder.
    """
    fitted, n_clusters = predictions["fit"], method.n_clusters

    def centers() -> Figure | None:
        decoded = decode_centers(method)
        return None if decoded is None else draw_centers(decoded)

    def confusion() -> Figure | None:
        found = confusion_of_run(data, predictions)
        if found is None:
            return None
        part, counts = found
        return draw_confusion(counts, "Held-out samples" if part == "holdout" else "Fitted samples")

    def curves() -> Figure | None:
        logged = read_curves((logs or RunFolder(folder)).all_metrics)
        return draw_curves(logged) if logged else None

    # Draw each one by itself, so that the others are there where one fails
    drawings: dict[str, Callable[[], Figure | None]] = {
        "map": lambda: draw_embedding_map(places, fitted, n_clusters, kind)
    }
    if is_image(data.input_shape):
        drawings |= {"members": lambda: draw_central_members(data, fitted, n_clusters), "centers": centers}
    for name, draw in {**drawings, "confusion": confusion, "curves": curves}.items():
        with failures.attempt(f"figures/{name}.png"):
            figure = draw()
            if figure is not None:
                _save(figure, folder / "figures" / f"{name}.png")


def save_reconstructions(folder: Path, data: ClusteringData, net: Autoencoder) -> None:
    """Write figures/reconstructions.png, where samples are images.

    Args:
        folder: run folder.
        data: samples to reconstruct.
        net: an autoencoder whose decoder was trained.
    """
    if is_image(data.input_shape):
        _save(draw_reconstructions(data, net), folder / "figures" / "reconstructions.png")


def _save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG; a character that no font has is drawn as a box, without a warning."""
    with atomic_write(path, "wb") as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(file, format="png")
