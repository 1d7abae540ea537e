"""Samples in no group: cluster -1 in table, report, scores, verdict and estimator; the nearest cluster stays known."""

from __future__ import annotations

import numpy as np
import pytest

from deepcluster_pl import DeepClustering

OPTIONS = ("data=array", "data.path=x.npz", "n_clusters=2", "logger.tensorboard=null", "trainer.accelerator=cpu")


@pytest.fixture
def samples(tmp_path):
    """Two groups of 60 samples, and 5 far from both and from each other."""
    random = np.random.default_rng(0)
    x = np.concatenate(
        [random.normal(size=(60, 3)), random.normal(size=(60, 3)) + 12, 40 * np.eye(3), -40 * np.eye(3)[:2]]
    )
    np.savez(tmp_path / "x.npz", x=x, y=np.repeat([0, 1, 1], [60, 60, 5]))
    return x


def test_samples_in_no_group_are_said_everywhere_and_old_scores_stay(cli_run, samples, deepcluster):
    run = cli_run("method=kmeans", "outliers=auto", *OPTIONS)
    assert run.code == 0, run.err
    rows = run.assignments
    assert [row["cluster"] for row in rows[120:]] == ["-1"] * 5
    assert {row["nearest_cluster"] for row in rows} == {"0", "1"}
    assert all(row["cluster"] == row["nearest_cluster"] for row in rows[:120])
    found = run.scores["outliers"]
    assert (found["rule"], found["number"], found["share"], found["emptied"]) == ("auto", 5, 0.04, [])
    assert found["fit"]["n"] == 120
    assert found["fit"]["nmi"] == pytest.approx(1)
    assert run.scores["fit"]["n"] == 125
    assert "Found 2 groups of 60 samples each: sizes are even. 5 samples (4.0 %) are in no group." in run.out
    page = (run.folder / "report.html").read_text()
    assert "<h3>In no group</h3>" in page
    assert "in no group</title>" in page
    assert "cluster -1" not in page
    predicted = deepcluster("predict", f"run={run.folder}", "data.path=x.npz")
    assert predicted.code == 0, predicted.err


def test_plain_methods_keep_every_sample_and_a_share_is_refused_above_a_half(cli_run, samples):
    run = cli_run("method=kmeans", *OPTIONS)
    assert run.scores["outliers"] is None
    assert "nearest_cluster" not in run.assignments[0]
    assert "outliers: found 0.7" in cli_run("method=kmeans", "outliers=0.7", *OPTIONS, name="no").err


def test_the_estimator_labels_them_and_predicts_the_nearest_cluster(samples, tmp_path):
    fitted = DeepClustering("kmeans", n_clusters=2, random_state=0, outliers=0.04).fit(samples)
    assert (fitted.labels_[120:] == -1).all()
    assert (fitted.labels_[:120] == fitted.predict(samples)[:120]).all()
    assert set(fitted.predict(samples)) == {0, 1}
    assert "5 samples (4.0%) are in no group" in fitted._repr_html_()
    fitted.plot()
    page = fitted.report(tmp_path / "report.html").read_text()
    assert "5 samples (4.0 %) are in no group" in page
    fitted.save(tmp_path / "saved")
    assert (DeepClustering.load(tmp_path / "saved").labels_ == fitted.labels_).all()
