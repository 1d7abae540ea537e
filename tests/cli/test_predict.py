"""`deepcluster predict`: clusters of new samples, by a finished run."""

from __future__ import annotations

import csv
import errno
import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.command_line import TINY_DEC, Outcome

from deepcluster_pl import load_model
from deepcluster_pl.runs import new_samples
from deepcluster_pl.utils import atomic_files

FEATURES = list("abcdef")


@pytest.fixture
def predicted(deepcluster):
    """Call with settings of `deepcluster predict`."""
    return functools.partial(deepcluster, "predict")


@pytest.fixture
def table_run(cli_run, tmp_path) -> Outcome:
    """A run on a table with an id and a class, some of it held out."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(90, 6)) + 4 * rng.integers(0, 3, size=(90, 1)), columns=FEATURES)
    frame["name"] = [f"row {i}" for i in range(90)]
    frame["kind"] = [f"k{i % 3}" for i in range(90)]
    frame.to_csv(tmp_path / "old.csv", index=False)
    shape = [text for text in TINY_DEC if not text.startswith("data")]
    run = cli_run(
        *shape, "data=array", "data.path=old.csv", "data.id_column=name", "data.label_column=kind", "data.holdout=0.2",
    )  # fmt: skip
    assert run.code == 0, run.err
    return run


def rows(outcome: Outcome) -> list[dict[str, str]]:
    with Path(outcome.out.splitlines()[-1]).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_samples_of_the_run_get_the_clusters_of_the_run(table_run, predicted):
    outcome = predicted(f"run={table_run.folder}", "data.path=old.csv")
    assert outcome.code == 0, outcome.err
    expected = {row["id"]: (row["cluster"], row["confidence"], row["label"]) for row in table_run.assignments}
    predictions = rows(outcome)
    assert {row["id"]: (row["cluster"], row["confidence"], row["label"]) for row in predictions} == expected
    assert [row["id"] for row in predictions] == [f"row {i}" for i in range(90)]
    assert "90 samples in" in outcome.out
    assert "ACC" in outcome.out
    assert Path(outcome.out.splitlines()[-1]).parent == table_run.folder / "predictions"


def test_new_samples_from_another_source_with_all_probabilities(table_run, predicted, tmp_path):
    x = np.random.default_rng(1).normal(size=(7, 6)).astype(np.float32)
    np.save(tmp_path / "new.npy", x)
    target = tmp_path / "deep" / "out.csv"
    outcome = predicted(
        f"run={table_run.folder}",
        "data=array",
        "data.path=new.npy",
        f"to={target}",
        "probabilities=true",
        "accelerator=cpu",
    )
    assert outcome.code == 0, outcome.err
    table = pd.read_csv(target)
    assert table.columns.tolist()[3:] == ["probability_0", "probability_1", "probability_2", "name"]
    model = load_model(table_run.folder / "model")
    with torch.no_grad():
        probabilities = model.assign(model.net.encode(model.net.prepare(torch.from_numpy(x)))).numpy()
    np.testing.assert_allclose(table[["probability_0", "probability_1", "probability_2"]], probabilities, atol=1e-4)
    np.testing.assert_array_equal(table["cluster"], probabilities.argmax(axis=1))


def test_nothing_is_written_over(table_run, predicted, tmp_path):
    (tmp_path / "mine.csv").write_text("mine")
    outcome = predicted(f"run={table_run.folder}", "data.path=old.csv", f"to={tmp_path / 'mine.csv'}")
    assert outcome.code == 1
    assert "is not overwritten" in outcome.err
    assert (tmp_path / "mine.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("mine", "typed", "message"),
    [
        ("mine.skipped.csv", "mine.csv", "mine.skipped.csv exists and is not overwritten; type to=<a new name>"),
        ("mine", "mine/new.csv", "mine is no folder; type to=<another name>"),
    ],
)
def test_everything_that_would_be_written_is_checked_before_the_samples_are_read(
    tmp_path, predicted, mine, typed, message
):
    (tmp_path / "run" / "model").mkdir(parents=True)
    (tmp_path / "run" / "model" / "model.json").write_text("no model, which shows that it was not read")
    (tmp_path / mine).write_text("mine")
    outcome = predicted(f"run={tmp_path / 'run'}", f"to={tmp_path / typed}")
    assert outcome.code == 1
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert (tmp_path / mine).read_text() == "mine"


@pytest.mark.parametrize("command", ["predict", "export"])
def test_a_link_is_neither_replaced_nor_written_through(tmp_path, deepcluster, command):
    run = tmp_path / "run"
    (run / "model").mkdir(parents=True)
    (run / "model" / "model.json").write_text("no model, which shows that it was not read")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    outcome = deepcluster(command, f"run={run}", f"to={tmp_path / 'dangling'}")
    assert "dangling exists and is not overwritten" in outcome.err
    (tmp_path / "mine").mkdir()
    for name in ("predictions", "export"):
        (run / name).symlink_to(tmp_path / "mine")
    outcome = deepcluster(command, f"run={run}")
    assert outcome.code == 1
    assert "is a link, and links in a run folder are not written through; type to=<file>" in outcome.err
    assert list((tmp_path / "mine").iterdir()) == []


def test_columns_may_come_in_any_order_beside_others_and_without_labels_and_a_missing_one_is_named(
    table_run, predicted, tmp_path
):
    frame = pd.read_csv(tmp_path / "old.csv")
    frame[["name", *reversed(FEATURES)]].assign(extra="x").to_csv(tmp_path / "turned.csv", index=False)
    frame.rename(columns={"b": "x"}).to_csv(tmp_path / "renamed.csv", index=False)
    turned = predicted(f"run={table_run.folder}", "data.path=turned.csv")
    assert turned.code == 0, turned.err
    assert "turned.csv: not used, because the run did not know them: extra" in turned.err
    assert "turned.csv has no column 'kind', so there are no labels" in turned.err
    assert [row["cluster"] for row in rows(turned)] == [
        row["cluster"] for row in rows(predicted(f"run={table_run.folder}", "data.path=old.csv"))
    ]
    renamed = predicted(f"run={table_run.folder}", "data.path=renamed.csv")
    assert "renamed.csv has no column 'b'; found a, x, c, d, e, f, name, kind" in renamed.err


def test_two_predictions_are_two_files(table_run, predicted):
    for _ in range(2):
        assert predicted(f"run={table_run.folder}", "data.path=old.csv").code == 0
    assert len(list((table_run.folder / "predictions").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data.path=old.csv"], "run= is missing"),
        (["run=nowhere"], "run=nowhere: found no model/model.json there"),
        (["run=RUN", "data.path=absent.csv"], "data.path=absent.csv: no such file"),
        (["run=RUN", "data.pth=old.csv"], "data.pth: no such key; did you mean data.path?"),
        (["run=RUN", "data=arry"], "data=arry: no such option; did you mean data=array?"),
        (["run=RUN", "seed=3"], "seed=3: expected run=, to=, probabilities=, accelerator=, data=<source>"),
        (["run=RUN", "data.path=old.csv", "probabilities=yes"], "probabilities=yes: expected true or false"),
        (["run=RUN", "data=array", "data.path=narrow.npy"], "samples have shape (5,), expected (6,)"),
        (["run=RUN", "data.path=old.csv", "accelerator=abacus"], "accelerator=abacus: "),
        (["run=RUN", "data=array", "data.path=old.csv", "data._target_=os.system"], "_target_"),
    ],
)  # fmt: skip
def test_what_cannot_be_predicted_is_one_line(table_run, predicted, tmp_path, arguments, message):
    np.save(tmp_path / "narrow.npy", np.zeros((3, 5)))
    outcome = predicted(*[text.replace("RUN", str(table_run.folder)) for text in arguments])
    assert outcome.code == 1
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not (table_run.folder / "predictions").exists()


def test_a_full_disk_is_one_line_that_does_not_advise_to_resume(predicted, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").touch()
    monkeypatch.setattr(new_samples, "predict", full)
    outcome = predicted(f"run={tmp_path}", "data.path=new.csv")
    assert outcome.code == 1
    assert outcome.err == "a file cannot be written: No space left on device; type the command again\n"


def test_help_lists_the_settings(predicted):
    outcome = predicted("--help")
    assert outcome.code == 0
    assert "run=<folder>" in outcome.out


def test_what_appears_meanwhile_is_not_replaced(deepcluster, table_run, tmp_path, monkeypatch):
    original = atomic_files._create_beside
    for number, command in enumerate(("predict", "export", "export format=safetensors")):
        target = tmp_path / f"new{number}"

        def late(path, target=target, command=command):
            if not target.exists():
                target.mkdir() if "safetensors" in command else target.write_text("mine")
            return original(path)

        monkeypatch.setattr(atomic_files, "_create_beside", late)
        outcome = deepcluster(*command.split(), f"run={table_run.folder}", f"to={target}")
        assert outcome.code == 1
        assert outcome.err.endswith(f"{target} exists by now, and is not overwritten; type another name\n")
        assert (list(target.iterdir()) if target.is_dir() else target.read_text()) in ([], "mine")
    assert sorted(path.name for path in tmp_path.glob("*new*")) == ["new0", "new1", "new2"]
