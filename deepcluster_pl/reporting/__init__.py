"""Output for people: figures, the report, the gallery, TensorBoard, the console."""

from __future__ import annotations

from deepcluster_pl.reporting.center_images import CenterImages
from deepcluster_pl.reporting.console_summary import print_summary
from deepcluster_pl.reporting.figures import save_figures, save_reconstructions
from deepcluster_pl.reporting.gallery import save_gallery
from deepcluster_pl.reporting.html_report import ReportContent, save_report
from deepcluster_pl.reporting.tensorboard import save_tensorboard

__all__ = [
    "CenterImages",
    "ReportContent",
    "print_summary",
    "save_figures",
    "save_gallery",
    "save_reconstructions",
    "save_report",
    "save_tensorboard",
]
