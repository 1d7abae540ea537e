"""Runs of `graph`, `communities` and `pca_gmm`: saved, predicted, resumed, and a start of other methods."""

from __future__ import annotations

import csv

import pytest
from helpers.command_line import TINY, TINY_RAW

from deepcluster_pl.runs import stages


@pytest.mark.parametrize("method", ["graph", "communities", "pca_gmm"])
def test_a_run_gives_its_clusters_again_when_it_predicts_and_when_it_resumes(cli_run, deepcluster, method, tmp_path):
    typed = (*TINY_RAW, f"method={method}", "data.holdout=0.25")
    run = cli_run(*typed)
    assert run.code == 0, run.err
    assert run.scores["fit"]["acc"] > 0.95
    assert run.scores["holdout"]["acc"] > 0.9
    done = deepcluster("predict", f"run={run.folder}", f"to={tmp_path}/again.csv")
    assert done.code == 0, done.err
    with (tmp_path / "again.csv").open(newline="") as file:
        again = {row["id"]: (row["cluster"], row["confidence"]) for row in csv.DictReader(file)}
    assert again == {row["id"]: (row["cluster"], row["confidence"]) for row in run.assignments}
    # The start is kept: an interrupted run goes on from it
    before = run.labels
    (run.folder / "scores.json").unlink()
    resumed = deepcluster(f"resume={run.folder}")
    assert resumed.code == 0, resumed.err
    assert run.labels == before


def test_it_starts_methods_that_learn_and_long_stages_begin_with_a_line(cli_run, monkeypatch):
    monkeypatch.setattr(stages, "_MANY", 100)
    run = cli_run(*TINY, "method=dec", "start=graph", "baselines=none")
    assert run.code == 0, run.err
    assert run.scores["steps"] > 0
    lines = ["start: NeighborGraph clusters 120 samples", "predicting 120 samples", "scores of 120 samples"]
    assert [line for line in run.out.splitlines() if line in lines] == lines
