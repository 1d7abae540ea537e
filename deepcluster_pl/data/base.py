"""Interface of every data source: a table is checked, split into a fitted and a held-out part, scaled, and batched."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from deepcluster_pl.data.options import CommonOptions, check_options
from deepcluster_pl.data.residency import Residency, ResidentLoader, choose_place, resident
from deepcluster_pl.data.sampler import SeededBatchSampler
from deepcluster_pl.data.samples import Batch, Part, Table
from deepcluster_pl.data.scaling import Scale, Scaling, fit_scaling
from deepcluster_pl.data.shared_memory import check_shared_memory
from deepcluster_pl.data.split import Split, split_rows
from deepcluster_pl.data.tables.preparation import Choice, Preparation
from deepcluster_pl.data.tables.prepared import prepare_table
from deepcluster_pl.data.validation import check_table

PartName = Literal["fit", "holdout"]
Loader = DataLoader[Batch] | ResidentLoader
PATIENCE_S = 120
"""Seconds that a batch may take to come from a process that reads data; a process that died is noticed by then, too."""


class ClusteringData(ABC):
    """Samples of one source; training never sees their labels. A subclass has to write `load` alone.

    Args:
        common: see `CommonOptions`.

    Attributes:
        report: takes a line about a long load; a run sets it to print on its console, and by default it is silent.
        warn: takes a warning that does not end a run; a run sets it likewise.
        choice: what the user says about the columns of a table.
        preparation: makes the columns of a table into samples. If it is set before `setup`, such as that of a saved
            model, nothing is measured; otherwise `setup` measures it on the fitted part. None for other sources.
    """

    def __init__(self, common: CommonOptions) -> None:
        check_options(type(self), common)
        self.name = common["name"]
        self.subset = common["subset"]
        self.holdout = common["holdout"]
        self.split: Split = common["split"]
        self.seed = common["seed"]
        self.scale: Scale = common["scale"]
        self.num_workers = common["num_workers"]
        self.residency: Residency = common["residency"]
        self.report: Callable[[str], object] = ignore_report
        self.warn: Callable[[str], object] = ignore_report
        self.choice = Choice()
        self.preparation: Preparation | None = None
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
        """Use these samples instead of loading any; to be called before `setup`."""
        self._given = table

    def setup(self) -> None:
        """Load, check, split and measure the samples; a second call does nothing."""
        if self._parts:
            return
        table = self.load() if self._given is None else self._given
        if table.frame is None:
            check_table(table)
        rows = self.subset.rows(table.n, table.labels)
        fit, holdout = split_rows(rows, table.labels, self.holdout, self.split, self.seed)
        if table.frame is not None:
            table, self.preparation = prepare_table(table, fit, self.choice, self.preparation, self.report)
            check_table(table)
        self._parts = {"fit": Part(table, fit), "holdout": Part(table, holdout)}
        self.input_shape = tuple(table.x.shape[1:])
        self.scaling = fit_scaling(self.scale, self._parts["fit"], self.rows_at_once)

    def save_records(self, folder: Path) -> None:  # noqa: B027 - most sources have nothing to write
        """Write records of the source beside its samples into the run folder; most sources have none."""

    def move_to(self, device: torch.device) -> None:
        """Move the samples to the place that `residency` asks for; batches are the same from everywhere.

        Args:
            device: the run's device; samples on it need no processes that load them.
        """
        parts = [self.part(name) for name in self.parts]
        place = choose_place(self.residency, parts, device, self.num_workers)
        if place == "device":
            self.num_workers = 0
        if place != "disk" and self.num_workers == 0:
            target = device if place == "device" else torch.device("cpu")
            self._resident = {name: resident(self.part(name), target) for name in self.parts}

    def samples(self, name: PartName, index: Tensor) -> Tensor:
        """Return raw samples of a part.

        Args:
            name: the part.
            index: positions (B,) in it.

        Returns:
            Samples (B, *input_shape) on the device of `index`.
        """
        if name in self._resident:
            x = self._resident[name]
            return x.index_select(0, index.to(x.device)).to(index.device)
        return torch.from_numpy(self.part(name).take(index.cpu().numpy())).to(index.device)

    def thumbnail(self, name: PartName, row: int) -> bytes | None:
        """Return a small JPEG of the picture behind a sample, or None; most sources have none."""
        return None

    def excerpt(self, name: PartName, row: int) -> str | None:
        """Return the beginning of the text of a sample, or None; most sources have no texts."""
        return None

    def distorted(self, name: PartName, index: Tensor, which: Tensor) -> Tensor:
        """Return one distorted copy of each of some samples.

        Args:
            name: the part.
            index: positions (B,) in it.
            which: number (B,) of each copy; 0 is the sample itself.

        Returns:
            Copies (B, *input_shape) on the device of `index`.
        """
        copies = self.part(name).take_copies(index.cpu().numpy(), which.cpu().numpy())
        return torch.from_numpy(copies).to(index.device)

    def part(self, name: PartName) -> Part:
        """Return the fitted or the held-out samples, with their ids and labels."""
        return self._parts[name]

    @property
    def parts(self) -> list[PartName]:
        """Names of the parts that hold samples."""
        names: tuple[PartName, ...] = ("fit", "holdout")
        return [name for name in names if len(self._parts[name])]

    def describe(self) -> str:
        """Return a line about the data: its name, shape and sizes."""
        shape = "x".join(map(str, self.input_shape))
        text = f"{self.name}: {len(self.part('fit'))} samples of {shape} to fit, {len(self.part('holdout'))} held out"
        return f"{text}; {self.scaling.remark}" if self.scaling.remark else text

    @property
    def n_features(self) -> int:
        """Number of values in one sample."""
        return int(np.prod(self.input_shape))

    @property
    def rows_at_once(self) -> int:
        """Number of rows in a batch without gradients: about 16 MiB of float32."""
        return min(8192, max(64, 2**22 // self.n_features))

    def prepared(self, name: PartName, rows: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Return flat samples, scaled as a net sees them.

        Args:
            name: the part.
            rows: positions (N,) in it; None for all.

        Returns:
            Samples (N, n_features).
        """
        part = self.part(name)
        rows = np.arange(len(part), dtype=np.int64) if rows is None else rows
        out = np.empty((len(rows), self.n_features), dtype=np.float32)
        for start in range(0, len(rows), self.rows_at_once):
            batch = rows[start : start + self.rows_at_once]
            out[start : start + len(batch)] = self.scaling.apply(part.take(batch)).reshape(len(batch), -1)
        return out

    def fingerprint(self) -> str:
        """Return a hash of the samples, their scaling and their split; the path of the data does not matter."""
        if not self._fingerprint:
            self._fingerprint = self._hash()
        return self._fingerprint

    def _hash(self) -> str:
        """Compute the hash, a batch at a time."""
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

        Raises:
            UserError: processes that read have no room for their batches.
        """
        x = self._resident.get(name)
        if x is not None:
            return ResidentLoader(x if rows is None else x[rows], sampler)
        batch_bytes = min(sampler.batch_size, sampler.n) * self.n_features * self.part(name).dtype.itemsize
        check_shared_memory(self.num_workers, batch_bytes)
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


def _as_it_is(batch: Any) -> Any:
    """Return a batch that is whole already; PyTorch asks for a function that collates samples."""
    return batch
