"""Levels of a partition: coarser ones that join its groups, and a finer one that splits them where they come apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, TypeAdapter

from deepcluster_pl.data.base import PartName
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.evaluation.predictions import Partition
from deepcluster_pl.functional.group_tree import groups_at
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.json_files import read_json
from deepcluster_pl.utils.ranges import NonNegativeInt

SCHEMA = 1
_MOST_BYTES = 2**28
Kind = Literal["coarsest", "coarse", "chosen", "fine"]
_WORDS: dict[Kind, str] = {"coarsest": "coarsest", "coarse": "coarse", "chosen": "as chosen", "fine": "fine"}


@dataclass(frozen=True)
class Level:
    """One level of a partition.

    Attributes:
        kind: `coarsest`, `coarse`, `chosen` or `fine`.
        group_of_cell: group (C,) of each cell. Groups of the chosen level are the clusters of the run; those of another
            one are numbered from 0.
        parent: group of the next coarser level that each group belongs to; None for the coarsest level, and for a
            cluster without samples.
        sizes: fitted samples of each group.
    """

    kind: Kind
    group_of_cell: NDArray[np.int64]
    parent: list[int | None]
    sizes: list[int]

    @property
    def n_groups(self) -> int:
        """Return the number of groups that hold samples."""
        return len(np.unique(self.group_of_cell))

    @property
    def name(self) -> str:
        """Return the level in words, such as `4 coarse` or `10 as chosen`."""
        return f"{self.n_groups} {_WORDS[self.kind]}"


@dataclass(frozen=True)
class Levels:
    """A tree over the samples of a run, and the few levels of it that are offered.

    Attributes:
        cells: finest cell (N,) of each sample, from 0, by part; -1 for an outlier.
        cluster_of_cell: cluster (C,) of the run that each cell is a part of.
        pairs: joins (C-1, 2) from C cells to one group, as in `GroupTree`: first splits are undone, the least supported
            one first, then clusters are joined, the most confused ones first.
        strength: of each join (C-1,): the support of the split, or the closeness of the clusters.
        offered: levels, the coarsest first; the chosen one is always among them.
    """

    cells: Partition
    cluster_of_cell: NDArray[np.int64]
    pairs: NDArray[np.int64]
    strength: list[float]
    offered: list[Level]

    @property
    def chosen(self) -> int:
        """Return the place of the chosen level among those offered."""
        return next(i for i, level in enumerate(self.offered) if level.kind == "chosen")

    def labels_at(self, n_groups: int, part: PartName = "fit") -> NDArray[np.int64]:
        """Return the group (N,) of each sample where the tree has a number of groups; -1 for outliers.

        Args:
            n_groups: from 1 to the number of cells. With the number of clusters, the run's own clusters come back.
            part: of the data.

        Raises:
            ValueError: the tree has no such level.
        """
        n_cells = len(self.cluster_of_cell)
        if not 1 <= n_groups <= n_cells:
            raise ValueError(f"found n={n_groups}, expected 1 to {n_cells} groups: no finer split is well supported")
        group = groups_at(self.pairs, n_cells, n_groups)
        if n_groups == len(np.unique(self.cluster_of_cell)):
            group = self.cluster_of_cell
        return np.append(group, -1)[self.cells[part]]

    def to_json(self) -> dict[str, Any]:
        """Return the content of levels.json."""
        return {
            "schema": SCHEMA,
            "chosen": self.chosen,
            "levels": [
                {
                    "name": level.name, "kind": level.kind, "n_groups": level.n_groups,
                    "group_of_cell": level.group_of_cell.tolist(), "parent": level.parent, "sizes": level.sizes,
                }
                for level in self.offered
            ],
            "tree": {"pairs": self.pairs.tolist(), "strength": self.strength},
            "cells": {part: cells.tolist() for part, cells in self.cells.items()},
        }  # fmt: skip

    def save(self, path: Path) -> None:
        """Write levels.json in one step."""
        with atomic_write(path) as file:
            json.dump(self.to_json(), file, separators=(",", ":"), allow_nan=False)


def load_levels(path: Path) -> Levels:
    """Read levels.json; `UserError` where it is missing, damaged, or of another version.

    Args:
        path: the file.

    Returns:
        The levels; every number in it is checked.
    """
    try:
        content = _FILE.validate_python(read_json(path, _MOST_BYTES))
        chosen = content.levels[content.chosen]
        n_cells = len(chosen.group_of_cell)
        numbers = [cell for cells in content.cells.values() for cell in cells]
        if content.schema_ != SCHEMA or chosen.kind != "chosen":
            raise ValueError(f"schema {content.schema_}, expected {SCHEMA}")
        if not all(-1 <= cell < n_cells for cell in numbers):
            raise ValueError("a cell is none of those listed")
        if len(content.tree.pairs) != max(0, n_cells - 1) or len(content.tree.strength) != len(content.tree.pairs):
            raise ValueError("its tree has another number of joins than cells")
        if any(not 0 <= a < b < n_cells + i for i, (a, b) in enumerate(map(sorted, content.tree.pairs))):
            raise ValueError("its tree joins a group that is not there yet")
        for level in content.levels:
            if len(level.group_of_cell) != n_cells or len(level.sizes) != len(level.parent):
                raise ValueError("its levels differ in their cells")
            if not all(0 <= group < len(level.sizes) for group in level.group_of_cell):
                raise ValueError("a group is none of those listed")
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise UserError(f"{path} cannot be read: {first_line(error)}; a finished run writes it") from error
    cells: Partition = {part: np.array(values, dtype=np.int64) for part, values in content.cells.items()}
    offered = [
        Level(level.kind, np.array(level.group_of_cell, dtype=np.int64), level.parent, level.sizes)
        for level in content.levels
    ]
    pairs = np.array(content.tree.pairs, dtype=np.int64).reshape(-1, 2)
    return Levels(cells, offered[content.chosen].group_of_cell, pairs, content.tree.strength, offered)


class _LevelInFile(BaseModel):
    """A level as levels.json has it."""

    kind: Kind
    group_of_cell: list[int]
    parent: list[int | None]
    sizes: list[int]


class _TreeInFile(BaseModel):
    """The tree as levels.json has it."""

    pairs: list[tuple[int, int]]
    strength: list[float]


class _File(BaseModel):
    """The content of levels.json."""

    schema_: Annotated[int, Field(alias="schema")]
    chosen: NonNegativeInt
    levels: list[_LevelInFile]
    tree: _TreeInFile
    cells: dict[PartName, list[int]]


_FILE = TypeAdapter(_File)
