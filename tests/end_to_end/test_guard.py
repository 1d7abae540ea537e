"""The guard: a fit that made the partition worse gives way to its start, in every file of the run alike."""

from __future__ import annotations

import pytest
import torch
from helpers.command_line import TINY_DEC
from sklearn.datasets import make_blobs

from deepcluster_pl import DeepClustering, load_model
from deepcluster_pl.evaluation.label_free import Comparison
from deepcluster_pl.runs import guard

GUARDED = (*(text for text in TINY_DEC if text != "guard=false"), "guard=true")
TOO_FAST = "fit.optimizer.lr=100"  # the fit pushes all samples together


def predicted(folder):
    """Return what the saved model says of the samples of these runs."""
    x, _ = make_blobs(120, 6, centers=3, cluster_std=1.0, random_state=0)
    model = load_model(folder / "model")
    with torch.no_grad():
        q = model.assign(model.net.encode(model.net.prepare(torch.as_tensor(x, dtype=torch.float32))))
    return q.argmax(1).tolist()


def clusters(run):
    return [int(row["cluster"]) for row in run.assignments]


def test_a_ruined_fit_gives_way_to_its_start_and_the_run_says_so(cli_run):
    run = cli_run(*GUARDED, TOO_FAST)
    assert run.code == 0, run.err
    assert run.scores["kept"] == "start"
    assert run.scores["guard"]["start"] - run.scores["guard"]["fit"] > run.scores["guard"]["error"] >= 0
    assert run.scores["fit"] == run.scores["start"]["fit"]
    assert run.scores["steps"] == 20
    assert predicted(run.folder) == clusters(run)
    assert "its start stays" in run.out.replace("\n", " ")
    # The same once more, from the checkpoint of the finished fit
    levels = (run.folder / "levels.json").read_bytes()
    (run.folder / "scores.json").unlink()
    again = cli_run(f"resume={run.folder}")
    assert again.code == 0, again.err
    assert (again.scores["kept"], again.labels) == ("start", run.labels)
    assert (run.folder / "levels.json").read_bytes() == levels
    assert predicted(run.folder) == clusters(run)


def test_without_the_guard_the_ruined_fit_is_the_result(cli_run):
    run = cli_run(*GUARDED, TOO_FAST, "guard=false")
    assert (run.scores["kept"], run.scores["guard"]) == (None, None)
    assert run.scores["fit"]["n_empty"] > 0


@pytest.mark.parametrize(
    "recipe",
    [
        ("method=idec", "callbacks=brb", "callbacks.weight_reset.interval=1"),
        ("method=dec", "whiten=1"),
        ("method=dcn",),
        ("method=dkm",),
        ("method=vade",),
        ("method=scan", "callbacks.target_refresh.update_interval=10"),
    ],
)
def test_every_method_returns_to_its_start_in_full(cli_run, monkeypatch, recipe):
    monkeypatch.setattr(guard, "compare_partitions", lambda *_: Comparison(1.0, 0.5, 0.1))
    plain = [text for text in GUARDED if not text.startswith(("method=", "callbacks."))]
    run = cli_run(*plain, *recipe, "fit.optimizer.lr=0.05", "fit.max_steps=10")
    assert run.code == 0, run.err
    assert run.scores["kept"] == "start"
    assert run.scores["fit"] == run.scores["start"]["fit"]
    assert predicted(run.folder) == clusters(run)


def test_a_fit_as_good_as_its_start_is_kept_and_methods_without_a_fit_have_no_guard(cli_run):
    run = cli_run(*GUARDED, "fit.optimizer.lr=0.001")
    assert run.scores["kept"] == "fit"
    assert abs(run.scores["guard"]["start"] - run.scores["guard"]["fit"]) <= run.scores["guard"]["error"]
    plain = [text for text in GUARDED if not text.startswith(("method=", "net.", "callbacks."))]
    shallow = cli_run(*plain, "method=kmeans", name="shallow")
    assert shallow.code == 0, shallow.err
    assert (shallow.scores["kept"], shallow.scores["guard"]) == (None, None)


def test_the_estimator_is_guarded_too():
    x, _ = make_blobs(120, 6, centers=3, cluster_std=1.0, random_state=0)
    short = ("pretrain.max_epochs=3", "fit.max_steps=20", "callbacks.target_refresh.update_interval=5", TOO_FAST)
    guarded = DeepClustering("dec", n_clusters=3, random_state=0, overrides=short).fit(x)
    assert len(set(guarded.labels_)) == 3
    assert (guarded.predict(x) == guarded.labels_).all()
