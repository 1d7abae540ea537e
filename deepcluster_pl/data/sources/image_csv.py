"""Source of small images named by a CSV, with or without labels: the layout of the tutorial."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError
from typing_extensions import Unpack

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.images.opening import MAX_MEGAPIXELS, MeteredFile, UnreadableImageError, open_picture
from deepcluster_pl.data.options import CommonOptions, existing_file
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.tables.casts import as_text
from deepcluster_pl.data.tables.dialect import Options
from deepcluster_pl.data.tables.frame import Frame
from deepcluster_pl.data.tables.names import shorten
from deepcluster_pl.data.tables.text_table import read_text_table
from deepcluster_pl.errors import UserError, first_line


class ImageCsv(ClusteringData):
    """Gray images as bytes (N, height, width), in the order of the CSV; file names are the ids.

    Args:
        csv: table with a column `filename` and, if known, `label`.
        root: folder of the images; null stands for the folder of the CSV.
        common: see `CommonOptions`.
    """

    def __init__(self, csv: str | None, root: str | None, **common: Unpack[CommonOptions]) -> None:
        super().__init__(common)
        self.csv = csv
        self.root = root

    def load(self) -> Table:
        """Read the CSV, then every image it names."""
        csv = existing_file(self.csv, "data.csv")
        frame = read_text_table(csv, Options(header=True), as_text=True)
        if "filename" not in frame:
            raise UserError(f"{csv.name}: found the columns {shorten(frame.names)}, expected filename and maybe label")
        root = Path(self.root).expanduser() if self.root else csv.parent
        if not root.is_dir():
            raise UserError(f"data.root={root}: no such folder")
        names = as_text(frame.column("filename")).cells()
        _check_names(names, frame, csv)
        _check_links(names, frame, root)
        images = [_read_gray(root / name, frame, row) for row, name in enumerate(names)]
        _check_shapes(images, names)
        labels = np.array(as_text(frame.column("label")).cells()) if "label" in frame else None
        return Table(np.stack(images), names, labels)


def _check_names(names: list[str], frame: Frame, csv: Path) -> None:
    """Raise `UserError`, with the row's number, for names that leave the folder or occur twice."""
    counts = Counter(names)
    for i, name in enumerate(names):
        path = PurePosixPath(name.replace("\\", "/"))
        if not name or path.is_absolute() or ".." in path.parts:
            raise UserError(f"{csv.name}, {_place(frame, i)}: {name!r} is not the name of a file inside the folder")
        if counts[name] > 1:
            raise UserError(
                f"{csv.name}, {_place(frame, i)}: {name!r} occurs {counts[name]} times; file names must differ"
            )


def _check_links(names: list[str], frame: Frame, root: Path) -> None:
    """Raise `UserError`, with the row's number, for a file that a link leads to outside the folder."""
    inside = os.path.join(os.path.realpath(root), "")
    for i, name in enumerate(names):
        if "\0" not in name and not os.path.realpath(root / name).startswith(inside):
            raise UserError(
                f"{_place(frame, i)}: {root / name} leads out of {root} by a link; type data.root=<the folder of the "
                f"files themselves>"
            )


def _read_gray(path: Path, frame: Frame, row: int) -> NDArray[np.uint8]:
    """Return an image as bytes (height, width); an alpha channel is dropped, as the tutorial's images are opaque."""
    try:
        with MeteredFile(path) as file, open_picture(file, MAX_MEGAPIXELS) as image:
            file.end_header()
            if image.mode.startswith("I"):  # 16-bit gray, which convert() would clip to white
                return (np.asarray(image) // 257).astype(np.uint8)
            return np.asarray(image.convert("RGB").convert("L"))
    except FileNotFoundError as error:
        raise UserError(
            f"{_place(frame, row)}: {path} is missing; type data.root=<the folder of the images>"
        ) from error
    except UnreadableImageError as error:
        reason = str(error).partition(";")[0]
        raise UserError(f"{_place(frame, row)}: {path} cannot be read as an image: {reason}") from error
    except UnidentifiedImageError as error:
        raise UserError(f"{_place(frame, row)}: {path} cannot be read as an image: its format is unknown") from error
    except Exception as error:  # a damaged file can make a decoder fail in any way
        raise UserError(f"{_place(frame, row)}: {path} cannot be read as an image: {first_line(error)}") from error


def _place(frame: Frame, row: int) -> str:
    """Return words for a row of the CSV: the line that it is in."""
    return frame.place(row).replace("line", "row")


def _check_shapes(images: list[NDArray[np.uint8]], names: list[str]) -> None:
    """Raise `UserError` for the first image of another shape than the one before all."""
    for image, name in zip(images, names, strict=True):
        if image.shape != images[0].shape:
            raise UserError(f"{name} has shape {image.shape}, and {names[0]} {images[0].shape}; expected one size")
