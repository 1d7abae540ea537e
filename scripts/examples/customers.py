"""Make up examples/customers.csv: 2,000 customers of four groups, with categories, dates and gaps.

    python -m scripts.examples.customers examples

Nothing in it is real. The column `group` is the truth that scores compare with.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

N_CUSTOMERS, N_NEW, GAP_SHARE, SEED = 2000, 40, 0.08, 0
HEADER = ("customer_id", "age", "income", "visits", "plan", "city", "joined", "group")
GROUPS = ("students", "families", "professionals", "retired")
_SHARES = (0.3, 0.3, 0.22, 0.18)
_AGE = ((23, 3), (41, 6), (36, 6), (69, 6))
_INCOME = ((14_000, 4_000), (52_000, 12_000), (95_000, 18_000), (28_000, 7_000))
_VISITS = (22, 9, 4, 13)
_PLANS = ("basic", "family", "premium")
_PLAN_SHARES = ((0.85, 0.05, 0.10), (0.15, 0.75, 0.10), (0.10, 0.10, 0.80), (0.70, 0.25, 0.05))
_CITIES = ("Lyon", "Porto", "Ghent", "Turin", "Graz")
_CITY_SHARES = (
    (0.50, 0.20, 0.15, 0.10, 0.05), (0.15, 0.45, 0.20, 0.10, 0.10), (0.10, 0.10, 0.55, 0.15, 0.10),
    (0.05, 0.15, 0.10, 0.25, 0.45),
)  # fmt: skip
_JOINED = ((700, 150), (450, 200), (300, 150), (120, 80))
"""Mean and spread of the days since 1 January 2022, for each group."""


def make_customers(n: int, seed: int) -> list[list[str]]:
    """Return rows of cells as they are written; gaps are empty."""
    rng = np.random.default_rng(seed)
    group = rng.choice(len(GROUPS), size=n, p=_SHARES)
    age = np.clip(_normal(rng, _AGE, group), 18, 95).round().astype(int)
    income = np.clip(_normal(rng, _INCOME, group), 5_000, None).round(-2).astype(int)
    visits = rng.poisson(np.array(_VISITS)[group])
    plan = [_PLANS[rng.choice(3, p=_PLAN_SHARES[g])] for g in group]
    city = [_CITIES[rng.choice(5, p=_CITY_SHARES[g])] for g in group]
    days = np.clip(_normal(rng, _JOINED, group), 0, 1000).astype(int)
    joined = [str(np.datetime64("2022-01-01") + day) for day in days]
    ids = rng.permutation(np.arange(100_000, 100_000 + 7 * n, 7))
    rows = [
        [f"C{ids[i]}", str(age[i]), str(income[i]), str(visits[i]), plan[i], city[i], joined[i], GROUPS[group[i]]]
        for i in range(n)
    ]
    for row in rows:
        for j in range(1, 7):
            if rng.random() < GAP_SHARE:
                row[j] = ""
    return rows


def _normal(
    rng: np.random.Generator, parameters: tuple[tuple[int, int], ...], group: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Draw a number for each customer around the mean of its group."""
    mean, spread = np.array(parameters, dtype=float).T
    return np.asarray(rng.normal(mean[group], spread[group]))


def main(folder: Path) -> None:
    """Write customers.csv, and new_customers.csv: others, in another order of columns and without the truth."""
    with (folder / "customers.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *make_customers(N_CUSTOMERS, SEED)])
    order = [6, 5, 4, 3, 2, 1, 0]
    with (folder / "new_customers.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [[row[j] for j in order] + ["web"] for row in make_customers(N_NEW, SEED + 1)]
        csv.writer(file, lineterminator="\n").writerows([[HEADER[j] for j in order] + ["channel"], *rows])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples"))
