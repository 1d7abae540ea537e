"""method=auto: a choice among candidates without labels, an ordinary model, and the same result when resumed."""

from __future__ import annotations

import csv
import signal
import time

import numpy as np
import pytest
from helpers.processes import CommandProcess
from sklearn.metrics import adjusted_rand_score

from deepcluster_pl import DeepClustering, load_model

BLOBS = (
    "method=auto", "data=blobs", "data.n_samples=120", "data.n_features=6", "data.spread=1.0", "n_clusters=3",
    "trainer.accelerator=cpu", "logger.tensorboard=null",
)  # fmt: skip
WITH_STUDENT = (*BLOBS, "auto.candidates=[kmeans,graph,kmeans_student]")


def test_everything_tried_is_recorded_and_the_chosen_model_is_an_ordinary_one(cli_run, deepcluster):
    run = cli_run(*BLOBS, "seed=1")
    assert run.code == 0, run.err
    assert "120 rows of 6 columns; trying 5 candidates, a few seconds" in run.out
    rows = run.scores["candidates"]
    assert [row["name"] for row in rows] == ["kmeans", "pca_gmm", "graph", "communities", "graph_20"]
    assert sum(row["chosen"] for row in rows) == 1
    chosen = next(row for row in rows if row["chosen"])
    assert run.scores["method"] == "auto"
    assert run.scores["choice"]["name"] == chosen["name"]
    assert chosen["nmi"] == run.scores["fit"]["nmi"]
    with (run.folder / "candidates.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == [row["name"] for row in rows]
    page = (run.folder / "report.html").read_text()
    assert all(name in page for name in ("Methods tried", "(chosen)", "graph_20"))
    assert load_model(run.folder / "model").n_clusters == 3
    predicted = deepcluster("predict", f"run={run.folder}", "data.n_samples=40")
    assert predicted.code == 0, predicted.err


def test_labels_change_neither_choice_nor_clusters(tmp_path, cli_run):
    random = np.random.default_rng(0)
    x = random.normal(size=(90, 4)) + 6 * np.eye(4)[np.arange(90) % 3]
    np.savez(tmp_path / "right.npz", x=x, y=np.arange(90) % 3)
    np.savez(tmp_path / "wrong.npz", x=x, y=random.integers(0, 3, 90))
    options = ("method=auto", "data=array", "n_clusters=3", "logger.tensorboard=null")
    right, wrong = (cli_run(*options, f"data.path={name}.npz", name=name) for name in ("right", "wrong"))
    assert right.labels == wrong.labels
    assert right.scores["choice"] == wrong.scores["choice"]
    assert right.scores["fit"]["nmi"] > wrong.scores["fit"]["nmi"]


def test_a_run_killed_in_a_candidate_resumes_to_the_same_labels_and_choice(tmp_path, cli_run):
    whole = cli_run(*WITH_STUDENT, name="whole")
    assert whole.code == 0, whole.err
    assert whole.scores["candidates"][2]["teacher"] == "kmeans"
    cut = tmp_path / "cut"
    process = CommandProcess([*WITH_STUDENT, "checkpoint_interval=0.000001", f"hydra.run.dir={cut}"], tmp_path)
    deadline = time.monotonic() + 120
    while not (cut / "candidates" / "kmeans_student" / "checkpoints" / "last.ckpt").is_file():
        assert process.poll() is None, process.err
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    process.wait()
    assert f"resume={cut}" in process.err + process.out
    assert not (cut / "scores.json").exists()
    resumed = cli_run(f"resume={cut}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels
    assert resumed.scores["choice"] == whole.scores["choice"]
    table = [[row | {"seconds": 0} for row in run.scores["candidates"]] for run in (resumed, whole)]
    assert table[0] == table[1]


def test_a_candidate_that_fails_is_left_out_with_its_reason(cli_run, monkeypatch):
    from deepcluster_pl.methods.initialization.neighbor_graph import NeighborGraph

    def fail(*args):
        raise ValueError("no such graph")

    monkeypatch.setattr(NeighborGraph, "fit_predict", fail)
    run = cli_run(*BLOBS)
    assert run.code == 0, run.err
    assert "left out: start: no such graph" in run.out
    problem = "start: no such graph"
    assert [row["problem"] for row in run.scores["candidates"]][2:] == [problem, None, problem]


def test_settings_that_auto_cannot_take_are_one_line(cli_run):
    assert "expected some of kmeans, pca_gmm" in cli_run(*BLOBS, "auto.candidates=[kmean]", name="one").err
    assert "learns from graph" in cli_run(*BLOBS, "auto.candidates=[graph_student]", name="two").err


def test_the_estimator_tells_what_it_tried():
    x = np.random.default_rng(0).normal(size=(90, 4)) + 8 * np.eye(4)[np.arange(90) % 3]
    fitted = DeepClustering("auto", n_clusters=3, random_state=0, outliers="none").fit(x)
    assert adjusted_rand_score(np.arange(90) % 3, fitted.labels_) == pytest.approx(1)
    assert [row["name"] for row in fitted.candidates_][:2] == ["kmeans", "pca_gmm"]
    assert (fitted.predict(x) == fitted.labels_).all()


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_constant_samples_and_two_samples_have_a_result():
    constant = DeepClustering("auto", n_clusters=2, random_state=0).fit(np.ones((20, 3)))
    assert all(row["problem"].startswith("collapsed") for row in constant.candidates_)
    assert sorted(DeepClustering("auto", n_clusters=2, random_state=0).fit_predict([[0.0], [5.0]])) == [0, 1]
