"""A logger that appends one value a line to metrics.csv, also after a resume; and the reader of such files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from deepcluster_pl.utils.atomic_files import own_alone

COLUMNS = ("step", "epoch", "metric", "value")
Curves = dict[str, dict[int, float]]
"""Value at each step, by metric: `curves[name][step]`."""


class MetricsCSV(Logger):
    """Lightning logger that appends to `<save_dir>/<name>/metrics.csv`, with the columns step, epoch, metric, value.

    Whole lines never change and are never deleted. The rest of a line that a killed process or a full disk left is
    removed before the next line. After a resume, steps that were repeated occur twice, and the later line counts.

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
        self.path.parent.mkdir(parents=True, exist_ok=True)
        epoch = int(metrics["epoch"]) if "epoch" in metrics else ""
        text = io.StringIO()
        own_alone(self.path)
        with self.path.open("a+b") as file:
            size = file.seek(0, io.SEEK_END)
            end = _end_of_last_line(file, size)
            if end < size:
                file.truncate(end)
            writer = csv.writer(text)
            if end == 0:
                writer.writerow(COLUMNS)
            writer.writerows([step, epoch, name, value] for name, value in metrics.items() if name != "epoch")
            file.write(text.getvalue().encode())

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the composed config is in the run folder already."""


def read_curves(files: Sequence[Path]) -> Curves:
    """Read all metrics of the files that exist.

    Args:
        files: metrics.csv files; whatever is no whole row in them is left out.

    Returns:
        The curves. Where a step was repeated after a resume, its later line counts.
    """
    curves: Curves = {}
    for path in files:
        if path.is_file():
            for step, metric, value in _whole_rows(path.read_bytes()):
                curves.setdefault(metric, {})[step] = value
    return curves


def _whole_rows(content: bytes) -> Iterator[tuple[int, str, float]]:
    """Yield step, metric and value of each line that is one row; only a line end shows that a value is whole."""
    for line in content.split(b"\n")[:-1]:
        try:
            ((step, _, metric, value),) = csv.reader([line.decode()])
            yield int(step), metric, float(value)
        except (ValueError, csv.Error):  # the header, or damage
            continue


def _end_of_last_line(file: IO[bytes], size: int) -> int:
    """Return the number of bytes up to the end of the last whole line of an open file of this size."""
    if size == 0:
        return 0
    file.seek(size - 1)
    if file.read(1) == b"\n":
        return size
    file.seek(0)
    return file.read().rfind(b"\n") + 1
