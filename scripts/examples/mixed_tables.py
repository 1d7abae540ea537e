"""Make up tables of mixed columns whose groups are known: people, loans, machines; for benchmarks and tests.

Nothing in them is real. Each has a column `group`, the truth, which scores alone compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

_LOAN_CATEGORIES = ((4, 0.8), (8, 0.6), (5, 0.7), (3, 0.3), (3, 0.75), (2, 0.2), (6, 0.6))
"""Number of levels of each category of a loan, and how often a row has one of its group's own."""


def make_people(n: int, seed: int) -> pd.DataFrame:
    """Return people as in a census: three groups, three numbers, five categories of up to 20 levels, 5 % gaps."""
    draw = np.random.default_rng([seed, 3])
    group = draw.choice(3, n, p=[0.45, 0.35, 0.2])
    table = pd.DataFrame({
        "age": _normal(draw, group, (27, 44, 63), (6, 8, 8)).round(),
        "hours": _normal(draw, group, (32, 45, 20), (7, 7, 9)).clip(1, 90).round(),
        "gain": np.where(draw.random(n) < 0.8, 0, draw.lognormal(np.array([6.0, 9.0, 8.0])[group])).round(),
        "education": _levels(draw, group, 10, 0.55), "occupation": _levels(draw, group, 12, 0.5),
        "marital": _levels(draw, group, 4, 0.75), "sex": draw.choice(["female", "male"], n),
        "country": _levels(draw, np.zeros(n, dtype=int), 20, 0.8),
    })  # fmt: skip
    return _with_gaps(draw, table, 0.05).assign(group=group)


def make_loans(n: int, seed: int) -> pd.DataFrame:
    """Return loans as a bank has them: two groups, four numbers and seven categories of up to 8 levels, 3 % gaps."""
    draw = np.random.default_rng([seed, 2])
    group = draw.choice(2, n, p=[0.6, 0.4])
    table = pd.DataFrame({
        "amount": draw.lognormal(np.array([7.5, 8.7])[group], 0.6).round(),
        "months": _normal(draw, group, (14, 33), (7, 11)).clip(3, 72).round(),
        "rate": _normal(draw, group, (3.2, 2.6), (1.0, 1.0)).round(1), "age": draw.normal(38, 11, n).clip(18).round(),
        **{f"A{j}": _levels(draw, group, *how) for j, how in enumerate(_LOAN_CATEGORIES)},
    })  # fmt: skip
    return _with_gaps(draw, table, 0.03).assign(group=group)


def make_machines(n: int, seed: int) -> pd.DataFrame:
    """Return machines with sensors: six groups, six numbers and one category of four levels, no gaps."""
    draw = np.random.default_rng([seed, 6])
    group = draw.choice(6, n)
    middles = np.random.default_rng(6).normal(size=(6, 6)) * 2.2
    numbers = pd.DataFrame(middles[group] + draw.normal(size=(n, 6)), columns=[f"sensor_{j}" for j in range(6)])
    return numbers.assign(line=_levels(draw, group % 4, 4, 0.7), group=group)


MADE: dict[str, tuple[int, Callable[[int, int], pd.DataFrame]]] = {
    "people": (3, make_people), "loans": (2, make_loans), "machines": (6, make_machines),
}  # fmt: skip
"""Number of groups of each table, and its maker from rows and seed."""


def _normal(
    draw: np.random.Generator, group: np.ndarray, means: Sequence[float], spreads: Sequence[float]
) -> np.ndarray:
    """Draw a number for each row around the mean of its group."""
    return np.asarray(draw.normal(np.array(means)[group], np.array(spreads)[group]))


def _levels(draw: np.random.Generator, group: np.ndarray, n_levels: int, strength: float) -> np.ndarray:
    """Draw a level for each row: with this probability one of its group's own, else any."""
    n_groups = int(group.max()) + 1
    order = np.random.default_rng(n_levels).permutation(n_levels)
    own = [order[k::n_groups] for k in range(n_groups)]
    of_group = np.array([draw.choice(own[k]) if len(own[k]) else 0 for k in group])
    level = np.where(draw.random(len(group)) < strength, of_group, draw.integers(0, n_levels, len(group)))
    return np.array([f"L{k}" for k in range(n_levels)])[level]


def _with_gaps(draw: np.random.Generator, table: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return the table with a share of its cells empty."""
    return table.mask(draw.random(table.shape) < share)
