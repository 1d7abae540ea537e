"""Runs with a student: its partition is the result, everything that reads a model knows it, and resume is exact."""

from __future__ import annotations

import csv
import signal

import numpy as np
import pytest
from helpers.command_line import TINY_RAW

from deepcluster_pl import DeepClustering
from deepcluster_pl.methods import Student, load_model
from deepcluster_pl.training.callbacks.one_cycle import OneCycle

SHORT = (
    "student.rounds=2", "student.least_steps=16", "student.most_steps=16", "student.batch_size=32",
    "student.method.optimizer.lr=0.02", "trainer.log_every_n_steps=4",
)  # fmt: skip
TINY_STUDENT = (*TINY_RAW, "method=kmeans", "student=mlp", "student.net.dims=[32,16]", *SHORT)


def test_a_run_with_a_student_scores_both_and_saves_the_student(cli_run, deepcluster, tmp_path):
    run = cli_run(*TINY_STUDENT)
    assert run.code == 0, run.err
    # The teacher's partition is k-means', which is the initialization here
    assert run.scores["teacher"] == run.scores["start"]
    assert run.scores["seconds"]["student"] > 0
    titles = [line.strip().split("  ")[0] for line in run.out.splitlines()]
    assert titles.index("student") == titles.index("kmeans, the teacher") + 1
    report = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "kmeans, the teacher" in report
    assert "Loss of each round of the student" in report
    assert "A student learned that partition, and its own is the result." in report
    # The model is the student's, and predict agrees with the run
    module = load_model(run.folder / "model")
    assert isinstance(module, Student)
    predicted = deepcluster("predict", f"run={run.folder}", f"to={tmp_path / 'again.csv'}")
    assert predicted.code == 0, predicted.err
    with (tmp_path / "again.csv").open(newline="") as file:
        assert [(row["cluster"], row["confidence"]) for row in csv.DictReader(file)] == run.labels
    exported = deepcluster("export", f"run={run.folder}", "format=torch_export")
    assert exported.code == 0, exported.err


def test_without_a_student_the_keys_are_null(cli_run):
    run = cli_run(*TINY_RAW, "method=kmeans")
    assert (run.scores["teacher"], run.scores["seconds"]["student"]) == (None, None)


@pytest.mark.parametrize("cut_at", [5, 21])
def test_a_run_that_is_cut_within_the_student_ends_with_the_same_labels(cli_run, monkeypatch, cut_at):
    whole = cli_run(*TINY_STUDENT, name="whole")
    calls, original = [], OneCycle.on_train_batch_start

    def cut(*args):
        calls.append(args)
        if len(calls) == cut_at:
            signal.raise_signal(signal.SIGTERM)
        original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(OneCycle, "on_train_batch_start", cut)
        broken = cli_run(*TINY_STUDENT, name="cut")
    assert broken.code == 128 + signal.SIGTERM
    assert (broken.folder / "checkpoints" / "student_1.ckpt").exists() == (cut_at > 16)
    calls.clear()
    monkeypatch.setattr(OneCycle, "on_train_batch_start", lambda *args: (calls.append(args), original(*args)))
    resumed = cli_run(f"resume={broken.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert len(calls) == 32 - cut_at
    assert resumed.labels == whole.labels
    # A finished run takes no step again
    calls.clear()
    again = cli_run(f"resume={broken.folder}", name="cut")
    assert (again.code, again.labels, calls) == (0, whole.labels, [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (["data.n_samples=12"], "it needs 32 samples whose neighbors agree, found 9; the method's own partition stays"),
        (["n_clusters=1", "data.n_centers=3"], "there is one cluster only; the method's own partition stays"),
    ],
)
def test_where_there_is_nothing_to_learn_from_the_teacher_stays_and_a_line_says_so(cli_run, changes, reason):
    run = cli_run(*TINY_STUDENT, *changes)
    assert run.code == 0, run.err
    assert f"student: {reason}" in run.out
    assert run.scores["teacher"] is None


def test_a_convolutional_student_of_a_table_is_refused_before_any_work(cli_run):
    run = cli_run(*TINY_RAW, "method=kmeans", "student=conv")
    assert run.code == 1
    assert run.err == "student=conv learns from images (height x width); found samples of 6; type student=mlp\n"


def test_the_estimator_has_the_student_and_saves_it(tmp_path):
    generator = np.random.default_rng(0)
    x = np.zeros((60, 8, 8), dtype=np.float32)
    x[:30, :4] = x[30:, 4:] = 1
    x += generator.normal(0, 0.3, x.shape).astype(np.float32)
    overrides = ("student=conv", "student.net.channels=[4,8]", *SHORT)
    fitted = DeepClustering("kmeans", 2, random_state=0, accelerator="cpu", overrides=overrides).fit(x)
    assert isinstance(fitted.model_, Student)
    assert len(fitted.history_["student/cross_entropy_2"]) == 4
    fitted.save(tmp_path / "saved")
    assert DeepClustering.load(tmp_path / "saved").predict(x).tolist() == fitted.labels_.tolist()


def test_constant_data_ends_without_a_traceback(cli_run, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((50, 6), dtype=np.float32))
    run = cli_run("data=array", f"data.path={tmp_path}/x.npy", *TINY_STUDENT[8:], "n_clusters=3")
    assert run.code == 0, run.err
    assert "Traceback" not in run.err
