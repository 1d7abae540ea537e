"""Figures of a run, drawn from its data, its predictions and its curves."""

from __future__ import annotations

from deepcluster_pl.reporting.figures.centers import decode_centers, draw_centers
from deepcluster_pl.reporting.figures.confusion import draw_confusion
from deepcluster_pl.reporting.figures.curves import draw_curves
from deepcluster_pl.reporting.figures.embedding_map import draw_embedding_map
from deepcluster_pl.reporting.figures.samples import draw_central_members, draw_reconstructions
from deepcluster_pl.reporting.figures.save import save_figures, save_reconstructions

__all__ = [
    "decode_centers",
    "draw_centers",
    "draw_central_members",
    "draw_confusion",
    "draw_curves",
    "draw_embedding_map",
    "draw_reconstructions",
    "save_figures",
    "save_reconstructions",
]
