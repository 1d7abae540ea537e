"""Source of MNIST and its relatives through torchvision, with training and test images together as in papers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.options import CommonOptions
from deepcluster_pl.data.samples import Table
from deepcluster_pl.errors import UserError


class TorchvisionDataset(ClusteringData):
    """Gray images as bytes (N, height, width) and their labels.

    Args:
        dataset: name of torchvision's class.
        images: `both` sets in the order train, test; or one of them.
        root: folder that holds those of torchvision (`<root>/MNIST/raw/...`).
        download: fetch files that are missing.
        common: see `CommonOptions`.
    """

    def __init__(
        self,
        dataset: Literal["MNIST", "FashionMNIST", "KMNIST", "USPS"],
        images: Literal["both", "train", "test"],
        root: str,
        download: bool,
        **common: Unpack[CommonOptions],
    ) -> None:
        super().__init__(common)
        self.dataset = dataset
        self.images = images
        self.root = root
        self.download = download

    def load(self) -> Table:
        """Read the files in `root`, after a download if `download` asks for it."""
        sets = {"both": (True, False), "train": (True,), "test": (False,)}[self.images]
        loaded = [self._load_set(train) for train in sets]
        x = np.concatenate([images for images, _ in loaded])
        labels = np.concatenate([labels for _, labels in loaded])
        return Table(x, range(len(x)), labels)

    def _load_set(self, train: bool) -> tuple[NDArray[np.uint8], NDArray[Any]]:
        """Return images (N, height, width) and labels (N,) of the training or the test set."""
        import torchvision  # slow, and no other source needs it

        root = Path(self.root).expanduser()
        try:
            source = getattr(torchvision.datasets, self.dataset)(str(root), train=train, download=self.download)
        except Exception as error:  # torchvision asserts, indexes and unpacks whatever it finds
            # A damaged file is the likeliest cause; otherwise the files are missing.
            damage = _find_damage(root / self.dataset / "raw")
            if damage:
                raise UserError(damage) from error
            if self.download:
                raise UserError(f"{self.dataset} could not be fetched into data.root={root}: {error}") from error
            raise UserError(
                f"{self.dataset} is not in data.root={root}; type data.root=<the folder that holds "
                f"it>, or data.download=true to fetch it"
            ) from error
        return np.asarray(source.data), np.asarray(source.targets)


def _find_damage(folder: Path) -> str:
    """Return what is wrong with the first IDX file that is not as long as its header says; empty if all are sound."""
    for path in sorted(folder.glob("*-ubyte")):
        with path.open("rb") as file:
            head = file.read(16)
        if len(head) < 8 or head[:3] != b"\x00\x00\x08" or f"idx{head[3]}-" not in path.name:
            return f"{path} is not the IDX file of bytes that its name promises"
        sizes = [int.from_bytes(head[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(head[3])]
        # Type and dimensions, the sizes, then a byte for each value.
        expected = 4 + 4 * len(sizes) + math.prod(sizes)
        if path.stat().st_size != expected:
            return f"{path} holds {path.stat().st_size} bytes, expected {expected}; fetch it again"
    return ""
