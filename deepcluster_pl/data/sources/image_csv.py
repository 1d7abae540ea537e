"""Source of small images named by a CSV, with or without labels: the layout of the tutorial."""

from __future__ import annotations

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
from deepcluster_pl.data.sources.csv_reader import read_csv, shorten
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
        columns, lines = read_csv(csv)
        if "filename" not in columns:
            raise UserError(f"{csv.name}: found the columns {shorten(columns)}, expected filename and maybe label")
        root = Path(self.root).expanduser() if self.root else csv.parent
        if not root.is_dir():
            raise UserError(f"data.root={root}: no such folder")
        names = [str(name) for name in columns["filename"]]
        _check_names(names, lines, csv)
        images = [_read_gray(root / name, line) for name, line in zip(names, lines, strict=True)]
        _check_shapes(images, names)
        return Table(np.stack(images), names, columns.get("label"))


def _check_names(names: list[str], lines: list[int], csv: Path) -> None:
    """Raise `UserError`, with the row's number, for names that leave the folder or occur twice."""
    counts = Counter(names)
    for row, name in zip(lines, names, strict=True):
        path = PurePosixPath(name.replace("\\", "/"))
        if not name or path.is_absolute() or ".." in path.parts:
            raise UserError(f"{csv.name}, row {row}: {name!r} is not the name of a file inside the folder")
        if counts[name] > 1:
            raise UserError(f"{csv.name}, row {row}: {name!r} occurs {counts[name]} times; file names must differ")


def _read_gray(path: Path, row: int) -> NDArray[np.uint8]:
    """Return an image as bytes (height, width); an alpha channel is dropped, as the tutorial's images are opaque."""
    try:
        with MeteredFile(path) as file, open_picture(file, MAX_MEGAPIXELS) as image:
            file.end_header()
            if image.mode.startswith("I"):  # 16-bit gray, which convert() would clip to white
                return (np.asarray(image) // 257).astype(np.uint8)
            return np.asarray(image.convert("RGB").convert("L"))
    except FileNotFoundError as error:
        raise UserError(f"row {row}: {path} is missing; type data.root=<the folder of the images>") from error
    except UnreadableImageError as error:
        reason = str(error).partition(";")[0]
        raise UserError(f"row {row}: {path} cannot be read as an image: {reason}") from error
    except UnidentifiedImageError as error:
        raise UserError(f"row {row}: {path} cannot be read as an image: its format is unknown") from error
    except Exception as error:  # a damaged file can make a decoder fail in any way
        raise UserError(f"row {row}: {path} cannot be read as an image: {first_line(error)}") from error


def _check_shapes(images: list[NDArray[np.uint8]], names: list[str]) -> None:
    """Raise `UserError` for the first image of another shape than the one before all."""
    for image, name in zip(images, names, strict=True):
        if image.shape != images[0].shape:
            raise UserError(f"{name} has shape {image.shape}, and {names[0]} {images[0].shape}; expected one size")
