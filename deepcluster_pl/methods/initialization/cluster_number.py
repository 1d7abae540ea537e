"""A number of clusters and the evidence for it, on the console and in a JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.functional.cluster_number_choice import clarity, is_faint
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.json_files import read_json

ROWS_A_CLUSTER = 10
"""Fewest samples for each cluster of the largest number that is tried."""


def too_few_samples(n: int, least: int) -> str:
    """Return that n samples are too few to estimate a number of clusters; the caller says what follows from it."""
    return f"n_clusters=auto needs at least {least} samples, found {n}"


@dataclass(frozen=True)
class ClusterNumberEstimate:
    """A number of clusters, and the evidence for it.

    Attributes:
        n_clusters: the number K that was chosen.
        candidates: the numbers (C,) that were tried.
        agreement: mean adjusted Rand index (C,) of the partitions that two halves of the samples lead to.
        reference: the same for samples without groups, and at least the mean of it over all numbers.
        error: standard error (C,) of their difference.
        n: number of samples that were clustered.
        worst: for each number (C,), the overlap (Jaccard index) of the group that halves agree on least; empty in
            estimates of earlier versions.
        coarse: a smaller number that halves agree on more clearly; None where there is none.
        fine: a larger number whose groups are all found again, though less clearly; None where there is none.
    """

    n_clusters: int
    candidates: list[int]
    agreement: list[float]
    reference: list[float]
    error: list[float]
    n: int
    worst: list[float] = field(default_factory=list)
    coarse: int | None = None
    fine: int | None = None

    @property
    def excess(self) -> list[float]:
        """Return the difference (C,) between the agreement of halves and that without groups."""
        return [here - there for here, there in zip(self.agreement, self.reference, strict=True)]

    @property
    def clarity(self) -> list[float]:
        """Return the excess (C,) as a share of the largest that is possible; 1 is full agreement, 0 no groups."""
        return clarity(self.agreement, self.reference)

    def evidence(self, n_clusters: int) -> tuple[float, float]:
        """Return the agreement on a number of clusters, and that without groups."""
        at = self.candidates.index(n_clusters)
        return self.agreement[at], self.reference[at]

    @property
    def second(self) -> int | None:
        """Return the number with the next largest clarity; None where only one was tried."""
        others = [(value, k) for k, value in zip(self.candidates, self.clarity, strict=True) if k != self.n_clusters]
        return max(others)[1] if others else None

    @property
    def is_faint(self) -> bool:
        """Return True if halves agree on no number clearly more than they would without groups.

        For data without groups the clarity is noise; tests check that it stays below .3.
        """
        return is_faint(self.clarity, self.worst)

    def describe(self) -> str:
        """Describe in a line the number, its evidence, and the levels beside it or else the next best number.

        >>> ClusterNumberEstimate(3, [2, 3, 4], [0.5, 0.9, 0.6], [0.4, 0.3, 0.3], [0.01, 0.01, 0.01], 99).describe()
        'n_clusters=3: halves of the data agree by 0.90, without groups they would by 0.30; next comes 4 (0.60, 0.30)'
        """
        here, there = self.evidence(self.n_clusters)
        text = f"n_clusters={self.n_clusters}: halves of the data agree by {here:.2f}, "
        text += f"without groups they would by {there:.2f}"
        if self.is_faint:
            return f"{text}; that is hardly more, for no number is it: there may be no groups"
        levels = [f"{k} {word}" for k, word in ((self.coarse, "coarse"), (self.fine, "fine")) if k]
        if levels:
            named = " and ".join(f"{level} ones ({self.evidence(int(level.split()[0]))[0]:.2f})" for level in levels)
            text += f"; the groups have levels: there are {named}"
        elif self.second is not None:
            text += "; next comes {} ({:.2f}, {:.2f})".format(self.second, *self.evidence(self.second))
        if self.n_clusters == max(self.candidates):
            why = f"of {self.n} samples" if self.n < ROWS_A_CLUSTER * (self.n_clusters + 1) else "by choose.largest"
            text += f"; no larger number was looked at, {why}: n_clusters=<number> takes any"
        return text

    def save(self, path: Path) -> None:
        """Write a JSON file with one key for each attribute."""
        with atomic_write(path) as file:
            json.dump(asdict(self), file, indent=2)

    @staticmethod
    def load(path: Path) -> ClusterNumberEstimate:
        """Read an estimate that `save` wrote; `UserError` if the file is damaged."""
        try:
            estimate = _ESTIMATE.validate_python(read_json(path))
            lists = (estimate.agreement, estimate.reference, estimate.error, estimate.worst or estimate.error)
            if any(len(values) != len(estimate.candidates) for values in lists):
                raise ValueError("its lists differ in length")
            if not {estimate.n_clusters, estimate.coarse, estimate.fine} - {None} <= set(estimate.candidates):
                raise ValueError(f"n_clusters={estimate.n_clusters} is none of its candidates")
            return estimate
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{path} cannot be read: {first_line(error)}; type n_clusters=<number>") from error


_ESTIMATE = TypeAdapter(ClusterNumberEstimate)
