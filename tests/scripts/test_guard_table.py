"""The tables of docs/guard.md are those of the recorded runs, and count what they say."""

from __future__ import annotations

from scripts.benchmarks import guard


def test_the_tables_of_the_page_are_those_of_the_recorded_runs():
    assert guard.write_page(check=True) == 0


def test_a_row_counts_kept_starts_and_those_that_were_right():
    def run(start, fit, kept):
        return {"method": "dec", "start": {"nmi": start}, "fit": {"nmi": fit}, "kept": kept}

    runs = [run(0.8, 0.6, "start"), run(0.5, 0.7, "start"), run(0.6, 0.8, "fit"), run(0.4, 0.3, "fit")]
    row = guard.table(runs, "method").splitlines()[-1]
    assert row == "| **all** | 4 | 2 | 2 | 1 | 0.575 | 0.600 | 0.600 | 0.675 |"
