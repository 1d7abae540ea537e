"""A logger that appends one value a line to metrics.csv, also after a resume; and the reader of such files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

COLUMNS = ("step", "epoch", "metric", "value")
Curves = dict[str, dict[int, float]]
"""Value at each step, by metric: `curves[name][step]`."""


class MetricsCSV(Logger):
    """Lightning logger that appends to `<save_dir>/<name>/metrics.csv`, with the columns step, epoch, metric, value.

    Lines never change and are never deleted. After a resume, steps that were repeated occur twice, and the later line
    counts.

    Args:
        save_dir: the run folder.
        name: the stage.
        version: subfolder of the stage's folder; none by default.
    """

    def __init__(self, save_dir: str, name: str, version: str = "") -> None:
        super().__init__()
        self.path = Path(save_dir) / name / version / "metrics.csv"
        self._name = name

    @property
    def name(self) -> str:
        """Return the name of the stage."""
        return self._name

    @property
    def version(self) -> str:
        """Return an empty text: there is one file a stage."""
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Append the values of one step, on rank 0 only.

        Args:
            metrics: value of each metric; `epoch` goes to a column of its own.
            step: the optimizer step.
        """
        is_new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        epoch = int(metrics["epoch"]) if "epoch" in metrics else ""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(COLUMNS)
            writer.writerows([step, epoch, name, value] for name, value in metrics.items() if name != "epoch")

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the composed config is in the run folder already."""


def read_curves(files: Sequence[Path]) -> Curves:
    """Read all metrics of the files that exist; where a step was repeated after a resume, its later line counts."""
    curves: Curves = {}
    for path in files:
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    curves.setdefault(row["metric"], {})[int(row["step"])] = float(row["value"])
    return curves
