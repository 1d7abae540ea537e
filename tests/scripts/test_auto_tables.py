"""Tables of docs/auto.md, choosing_k.md and methods/scan.md come from recorded lines, which say how they were made."""

from __future__ import annotations

import json

from scripts.benchmarks import auto, n_clusters, uneven
from scripts.benchmarks.marked_tables import recorded, write_tables


def test_the_tables_of_the_page_are_those_of_the_lines():
    assert write_tables(auto.PAGE, "auto", auto.tables(recorded(auto.LINES)), check=True) == 0


def test_the_tables_of_uneven_groups_and_of_numbers_of_clusters_are_those_of_the_lines():
    table = n_clusters.table(recorded(n_clusters.LINES))
    pairs = uneven.tables(recorded(uneven.LINES), recorded(uneven.EARLIER))
    assert write_tables(uneven.PAGE, "uneven", pairs, check=True) == 0
    assert write_tables(n_clusters.PAGE, "n_clusters", {"table": table}, check=True) == 0


def test_every_line_names_its_commit_and_command():
    lines = [json.loads(line) for line in auto.LINES.read_text(encoding="utf-8").splitlines()]
    assert {(line["data"], line["seed"]) for line in lines} >= {("digits", seed) for seed in range(5)}
    assert all(len(line["commit"]) == 40 and line["command"].startswith("python -m deepcluster_pl") for line in lines)


def test_the_choice_is_never_below_k_means_in_what_was_recorded():
    for line in (json.loads(text) for text in auto.LINES.read_text(encoding="utf-8").splitlines()):
        kmeans = next(row["nmi"] for row in line["candidates"] if row["name"] == "kmeans")
        assert line["nmi"] >= kmeans, (line["data"], line["seed"])
