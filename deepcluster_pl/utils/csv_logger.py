"""A logger that appends: metrics.csv with one value a line, which a resumed run goes on writing."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

COLUMNS = ("step", "epoch", "metric", "value")
Curves = dict[str, dict[int, float]]
"""Value at each step, by metric."""


class MetricsCSV(Logger):
    """Writes `<save_dir>/<name>/metrics.csv` with the columns step, epoch, metric, value.

    Lines never change and are never deleted; after a resume, steps that were repeated occur twice, and the later
    line counts.
    """

    def __init__(self, save_dir: str, name: str, version: str = "") -> None:
        super().__init__()
        self.path = Path(save_dir) / name / version / "metrics.csv"
        self._name = name

    @property
    def name(self) -> str:
        """The stage."""
        return self._name

    @property
    def version(self) -> str:
        """One file per stage, so none."""
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Append the values of one step."""
        is_new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        epoch = int(metrics["epoch"]) if "epoch" in metrics else ""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(COLUMNS)
            writer.writerows([step, epoch, name, value] for name, value in metrics.items() if name != "epoch")

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """The composed config lies in the run's folder already."""


def read_curves(files: Sequence[Path]) -> Curves:
    """All metrics of the files that exist; where a step was repeated after a resume, its later line counts."""
    found: Curves = {}
    for path in files:
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    found.setdefault(row["metric"], {})[int(row["step"])] = float(row["value"])
    return found
