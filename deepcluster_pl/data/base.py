"""The interface of every data source: a table becomes a fitted and a held-out part, checked, scaled, in batches."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from deepcluster_pl.data.options import check_options
from deepcluster_pl.data.residency import Residency, ResidentLoader, choose_place, resident
from deepcluster_pl.data.sampler import SeededBatchSampler
from deepcluster_pl.data.samples import Batch, Part, Table
from deepcluster_pl.data.scaling import Scale, Scaling, fit_scaling
from deepcluster_pl.data.split import Split, Subset, split_rows
from deepcluster_pl.data.validation import check_table
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.ranges import NonNegativeInt, OpenShare

PartName = Literal["fit", "holdout"]
Loader = DataLoader[Batch] | ResidentLoader
PATIENCE_S = 120
"""Seconds that a batch may take to come from a process that reads data; one that died is noticed by then, too."""


class CommonOptions(TypedDict):
    """What every source takes beside its own arguments.

    Attributes:
        name: names the run's folder and its tables.
        subset: which samples are used at all.
        holdout: share of them that is only ever scored.
        split: how the held-out part is chosen.
        seed: decides the split.
        scale: `unit` maps each feature to 0 … 1, `standard` to mean 0 and variance 1, both measured on the
            fitted part; `none` leaves them (bytes are divided by 255 in any case).
        num_workers: processes that load batches; 0 loads in the training process.
        residency: where samples lie meanwhile: on the run's `device`, in the `host`'s memory, or on `disk` as far as
            the source is memory-mapped; `auto` chooses the first that they fit into.
    """

    name: str
    subset: Subset
    holdout: OpenShare
    split: Split
    seed: NonNegativeInt
    scale: Scale
    num_workers: NonNegativeInt
    residency: Residency


class ClusteringData(ABC):
    """Samples without labels in training; `load` is all a new source has to write.

    Attributes:
        report: takes a line about a long load; a run sets it to print on its console, and by default it is silent.
    """

    def __init__(self, common: CommonOptions) -> None:
        check_options(type(self), common, CommonOptions.__annotations__)
        self.name = common["name"]
        self.subset = common["subset"]
        self.holdout = common["holdout"]
        self.split: Split = common["split"]
        self.seed = common["seed"]
        self.scale: Scale = common["scale"]
        self.num_workers = common["num_workers"]
        self.residency: Residency = common["residency"]
        self.report: Callable[[str], object] = ignore_report
        self.scaling = Scaling()
        self.input_shape: tuple[int, ...] = ()
        self._given: Table | None = None
        self._parts: dict[str, Part] = {}
        self._resident: dict[str, Tensor] = {}
        self._fingerprint = ""

    @abstractmethod
    def load(self) -> Table:
        """Read the source; raise `UserError` where something is missing."""

    def take_over(self, table: Table) -> None:
        """Use these samples instead of loading any; before `setup`."""
        self._given = table

    def setup(self) -> None:
        """Load, check, divide and scale, once."""
        if self._parts:
            return
        table = self.load() if self._given is None else self._given
        check_table(table)
        rows = self.subset.rows(table.n, table.labels)
        fit, holdout = split_rows(rows, table.labels, self.holdout, self.split, self.seed)
        self._parts = {"fit": Part(table, fit), "holdout": Part(table, holdout)}
        self.input_shape = tuple(table.x.shape[1:])
        self.scaling = fit_scaling(self.scale, self._parts["fit"], self.rows_at_once)

    def save_records(self, folder: Path) -> None:  # noqa: B027 - most sources have nothing to write
        """Write into the run's folder what the source has to say beside its samples; most have nothing."""

    def move_to(self, device: torch.device) -> None:
        """Bring the samples to where `residency` says; batches are the same from everywhere.

        Args:
            device: the run's; samples on it need no processes that load them.
        """
        parts = [self.part(name) for name in self.parts]
        place = choose_place(self.residency, parts, device, self.num_workers)
        if place == "device":
            self.num_workers = 0
        if place != "disk" and self.num_workers == 0:
            target = device if place == "device" else torch.device("cpu")
            self._resident = {name: resident(self.part(name), target) for name in self.parts}

    def samples(self, name: PartName, index: Tensor) -> Tensor:
        """Raw samples (B, *input_shape) at these positions of a part, on the index's device."""
        if name in self._resident:
            x = self._resident[name]
            return x.index_select(0, index.to(x.device)).to(index.device)
        return torch.from_numpy(self.part(name).take(index.cpu().numpy())).to(index.device)

    def thumbnail(self, name: PartName, row: int) -> bytes | None:
        """A small JPEG of what lies behind a sample, where the source knows one; most do not."""
        return None

    def distorted(self, name: PartName, index: Tensor, which: Tensor) -> Tensor:
        """Of each sample at these positions of a part one distorted copy (B, *input_shape); copy 0 is the sample."""
        found = self.part(name).take_copies(index.cpu().numpy(), which.cpu().numpy())
        return torch.from_numpy(found).to(index.device)

    def part(self, name: PartName) -> Part:
        """The fitted or the held-out samples, with their ids and labels."""
        return self._parts[name]

    @property
    def parts(self) -> list[PartName]:
        """Names of the parts that hold samples."""
        names: tuple[PartName, ...] = ("fit", "holdout")
        return [name for name in names if len(self._parts[name])]

    def describe(self) -> str:
        """The data in a few words."""
        shape = "x".join(map(str, self.input_shape))
        return f"{self.name}: {len(self.part('fit'))} samples of {shape} to fit, {len(self.part('holdout'))} held out"

    @property
    def n_features(self) -> int:
        """Numbers in one sample."""
        return int(np.prod(self.input_shape))

    @property
    def rows_at_once(self) -> int:
        """Rows in a batch of a pass without gradients: about 16 MiB of float32."""
        return min(8192, max(64, 2**22 // self.n_features))

    def prepared(self, name: PartName, rows: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Samples (N, n_features) as a net sees them; only those at `rows` of the part, if given."""
        part = self.part(name)
        rows = np.arange(len(part), dtype=np.int64) if rows is None else rows
        out = np.empty((len(rows), self.n_features), dtype=np.float32)
        for start in range(0, len(rows), self.rows_at_once):
            some = rows[start : start + self.rows_at_once]
            out[start : start + len(some)] = self.scaling.apply(part.take(some)).reshape(len(some), -1)
        return out

    def fingerprint(self) -> str:
        """Hash of the samples and of the protocol: equal for equal data, whatever its path."""
        if not self._fingerprint:
            self._fingerprint = self._hash()
        return self._fingerprint

    def _hash(self) -> str:
        digest = hashlib.sha256(f"{self.scale} {self.input_shape}".encode())
        for name in self.parts:
            part = self.part(name)
            digest.update(f"{name} {len(part)}".encode())
            for rows in part.slices(self.rows_at_once):
                digest.update(part.take(rows).tobytes())
        return digest.hexdigest()[:16]

    def loader(self, name: PartName, rows: slice | NDArray[np.int64] = slice(None)) -> Loader:
        """Return batches of a part in its own order, for passes without gradients.

        Args:
            name: the part.
            rows: only these rows of the part.

        Returns:
            A loader that yields (x, index); index counts within the chosen rows.
        """
        n = len(self.part(name).only(rows))
        return self.batches(name, SeededBatchSampler(n, self.rows_at_once, 0, shuffle=False), rows)

    def batches(
        self, name: PartName, sampler: SeededBatchSampler, rows: slice | NDArray[np.int64] | None = None
    ) -> Loader:
        """Return batches of a part, read from where its samples are.

        Args:
            name: the part.
            sampler: decides which rows a batch holds.
            rows: only these rows of the part; None for all.

        Returns:
            A loader that yields (x, index).
        """
        x = self._resident.get(name)
        if x is not None:
            return ResidentLoader(x if rows is None else x[rows], sampler)
        return DataLoader(
            dataset=self.part(name) if rows is None else self.part(name).only(rows),
            batch_sampler=sampler,
            num_workers=self.num_workers,
            collate_fn=_as_it_is,
            persistent_workers=self.num_workers > 0,
            timeout=PATIENCE_S if self.num_workers > 0 else 0,
        )


def ignore_report(line: str) -> None:
    """Do nothing with a line about a long load."""


def existing_file(path: str | None, option: str) -> Path:
    """The file that an option names; raise `UserError` where there is none."""
    if not path:
        raise UserError(f"{option} is missing; type {option}=<file>")
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError(f"{option}={path}: {'a folder' if file.is_dir() else 'no such file'}, expected a file")
    return file


def _as_it_is(batch: Any) -> Any:
    return batch
