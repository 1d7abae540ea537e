"""Bad input: one clear line, before any training, exit code 1, no traceback, nothing written over."""

from __future__ import annotations

import re
import shlex
import sys

import numpy as np
import pytest
import torch
from helpers.command_line import TINY, TINY_DEC, TINY_RAW


def assert_refused(run, *texts):
    assert run.code == 1
    assert "Traceback" not in run.err + run.out
    assert "pretrain " not in run.out
    for text in texts:
        assert text in run.err
    assert run.err.count("\n") == 1
    assert not run.folder.exists()


def test_fewer_samples_than_clusters(cli_run):
    assert_refused(cli_run(*TINY, "data.n_samples=2", "data.n_centers=2"), "n_samples=2 should be >= n_clusters=3")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_not_finite(cli_run, tmp_path, value):
    x = np.zeros((20, 4))
    x[7, 2] = x[9, 1] = value
    np.save(tmp_path / "x.npy", x)
    run = cli_run(*TINY[4:], "data=array", "data.path=x.npy")
    assert_refused(run, "found 2 values", "row 7 (id 7), column 2")


def test_no_path_and_a_path_to_nowhere(cli_run):
    assert_refused(cli_run("data=array"), "type data.path=<file>")
    assert_refused(
        cli_run("data=array", "data.path=my pics (1)/a,b.csv"), "data.path=my pics (1)/a,b.csv: no such file"
    )


def test_a_missing_column(cli_run, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    assert_refused(cli_run("data=array", "data.path=t.csv", "data.label_column=class"), "no column 'class'; found a, b")


def test_a_wrong_shape(cli_run, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((20, 0)))
    assert_refused(cli_run("data=array", "data.path=x.npy"), "shape (20, 0)")


def test_without_mnist_the_error_names_the_options_to_type(cli_run):
    assert_refused(cli_run("data=mnist", "data.root=nowhere"), "type data.root=", "data.download=true")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_asked_for_and_absent(cli_run):
    assert_refused(cli_run(*TINY, "trainer.accelerator=gpu"), "trainer.accelerator=cpu")


def test_half_weights_are_not_there_yet(cli_run):
    assert_refused(cli_run(*TINY, "trainer.precision=bf16-true"), "use bf16-mixed or 32-true")


def test_unknown_keys_all_at_once(cli_run):
    run = cli_run(*TINY, "trainer.acelerator=gpu", "n_clusters=0")
    assert run.code == 1
    assert "did you mean trainer.accelerator?" in run.err
    assert "n_clusters: found 0" in run.err
    assert run.err.count("\n") == 2


def test_an_unknown_flag(cli_run):
    assert_refused(cli_run(*TINY, "--gpu"), "--gpu: no such flag")


def test_an_output_folder_below_a_file(cli_run, tmp_path):
    (tmp_path / "file").write_text("mine")
    assert_refused(cli_run(*TINY, f"hydra.run.dir={tmp_path}/file/run"), "is a file; type hydra.run.dir=")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="names may be longer there")
def test_a_folder_name_that_is_too_long(cli_run, tmp_path):
    assert_refused(cli_run(*TINY, f"hydra.run.dir={tmp_path}/{'x' * 300}"), "too long")


def test_a_folder_that_holds_a_run_is_not_written_over(cli_run):
    first = cli_run(*TINY_DEC)
    before = {path: path.read_bytes() for path in first.folder.rglob("*") if path.is_file()}
    second = cli_run(*TINY_DEC, "seed=1")
    assert second.code == 1
    assert "holds a run already" in second.err
    assert {path: path.read_bytes() for path in first.folder.rglob("*") if path.is_file()} == before


def test_the_command_that_continues_a_run_works_as_printed_in_a_folder_with_spaces(cli_run, deepcluster):
    kmeans = (*TINY_RAW, "method=kmeans")
    first = cli_run(*kmeans, name="my first run")
    (first.folder / "scores.json").unlink()
    refused = cli_run(*kmeans, name="my first run")
    command = re.search(r"type (deepcluster .*) to continue it", refused.err)[1]
    resumed = deepcluster(*shlex.split(command)[1:])
    assert resumed.code == 0, resumed.err
    assert (first.folder / "scores.json").is_file()


def test_scikit_learns_own_complaint_comes_before_training(cli_run):
    assert_refused(cli_run(*TINY, "start.n_init=0"), "start:", "n_init")


def test_resume_of_a_folder_without_a_run(cli_run, tmp_path):
    run = cli_run(f"resume={tmp_path}")
    assert run.code == 1
    assert "no run folder" in run.err


def test_resume_of_a_folder_of_runs_names_the_newest(cli_run, tmp_path):
    for name in ("1", "2"):
        assert cli_run(*TINY_RAW, "method=kmeans", f"hydra.run.dir={tmp_path}/runs/{name}").code == 0
    refused = cli_run(f"resume={tmp_path}/runs")
    assert refused.code == 1
    assert f"type resume={tmp_path}/runs/2 for the newest of 2 runs in it" in refused.err
    assert refused.err.count("\n") == 1


def test_a_broken_config_of_a_run_is_named(cli_run, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "config" / "config.yaml").write_text("a: [")
    run = cli_run(f"resume={tmp_path}")
    assert run.code == 1
    assert "config/config.yaml cannot be read" in run.err
    assert "Traceback" not in run.err


def test_a_cache_that_cannot_be_written_is_a_warning_and_changes_no_label(cli_run, tmp_path):
    (tmp_path / "file").write_text("mine")
    sound = cli_run(*TINY_DEC, "pretrained=auto", f"cache_dir={tmp_path}/cache", name="sound")
    run = cli_run(*TINY_DEC, "pretrained=auto", f"cache_dir={tmp_path}/file")
    assert (run.code, run.err) == (0, "")
    assert run.labels == sound.labels
    assert run.scores["baselines"] == sound.scores["baselines"]
    assert [text.partition(" of cache_dir was not made")[1] != "" for text in run.scores["warnings"]] == [True] * 4
    assert run.out.count("warning: ") == 4
    assert (tmp_path / "file").read_text() == "mine"


def test_the_label_is_no_feature(cli_run, tmp_path):
    (tmp_path / "t.csv").write_text("0,1,2\n" + "1,2,0\n3,4,1\n" * 20)
    table = ("data=array", "data.path=t.csv", "method=kmeans", "n_clusters=2")
    assert_refused(cli_run(*table, "data.columns=[0,2]", "data.label_column=2"), "'2', which is the label")
    assert cli_run(*table, "data.label_column=2").code == 0


def test_a_table_without_a_header_is_not_robbed_of_its_first_row(cli_run, tmp_path):
    (tmp_path / "t.csv").write_text("5.1,3.5\n4.9,3.0\n")
    run = cli_run("data=array", "data.path=t.csv", "method=kmeans", "n_clusters=2")
    assert run.code == 0, run.err
    assert "2 samples of 2 to fit" in run.out
    assert "the first line, 5.1,3.5, looks like data, so columns are named column_0" in " ".join(run.out.split())


def test_a_column_that_float32_would_blur_is_named(cli_run, tmp_path):
    times = 1.7e9 + np.repeat([0.0, 30.0, 60.0], 20)
    np.save(tmp_path / "x.npy", np.stack([np.arange(60.0), times], axis=1))
    assert_refused(
        cli_run("data=array", "data.path=x.npy"), "column 1 runs from 1700000000 to 1700000060", "subtract a constant"
    )


def test_resume_goes_alone(cli_run, tmp_path):
    assert_refused(cli_run(f"resume={tmp_path}", "--cfg", "job"), "leave out -m, --cfg")
    assert_refused(cli_run("-m", *TINY, "--cfg", "job"), "leave out -m")


def test_a_run_that_has_only_begun_is_not_taken_over(cli_run, tmp_path):
    (tmp_path / "run" / "config").mkdir(parents=True)
    (tmp_path / "run" / "config" / "config.yaml").write_text("seed: 9\n")
    run = cli_run(*TINY)
    assert run.code == 1
    assert "holds a run already" in run.err
    assert (tmp_path / "run" / "config" / "config.yaml").read_text() == "seed: 9\n"


@pytest.mark.parametrize(
    "file",
    [
        "config/mysettings.txt", "assignments.csv", "figures/map.png", "error.txt", "result/thesis.doc", "report.html",
        "MODEL_CARD.md", "gallery.html", "pictures.csv", "run.lock", "run.owner", "multirun.yaml", ".hidden",
        "notes.txt",
    ],
)  # fmt: skip
@pytest.mark.parametrize("flags", [(), ("-m", "seed=0,1")])
def test_a_folder_that_holds_a_file_of_the_users_takes_no_run_and_no_sweep(cli_run, tmp_path, file, flags):
    own = tmp_path / "run" / file
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    run = cli_run(*flags, *TINY_RAW, "method=kmeans")
    assert run.code == 1
    assert run.err.count("\n") == 1
    option = "hydra.sweep.dir" if flags else "hydra.run.dir"
    expected = "holds a run already" if file == "multirun.yaml" else f"is not empty: found '{file.partition('/')[0]}'"
    assert expected in run.err
    assert f"type {option}=<a" in run.err or f"or {option}=<a" in run.err
    assert own.read_text() == "mine"
    assert [path for path in (tmp_path / "run").rglob("*") if path.is_file()] == [own]


def test_the_current_folder_takes_no_run_if_it_holds_anything(cli_run, tmp_path):
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "thesis.doc").write_text("mine")
    assert_refused(cli_run(*TINY_RAW, "method=kmeans", "hydra.run.dir=."), "is not empty: found 'result'")
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


@pytest.mark.parametrize(
    ("subdir", "more"),
    [
        ("../jobs", ()),
        ("{tmp}/jobs", ()),
        ("a/../../jobs", ()),
        ("${data.name}", ("data.name=../jobs",)),
        ("${data.name}", ("data.name=x,../jobs",)),
        ("x/${data.name}/jobs", ("data.name=../..",)),
        ("${hydra.job.override_dirname}", ("data.name=/../../../jobs",)),
    ],
)
def test_no_job_of_a_sweep_is_outside_its_folder(cli_run, tmp_path, subdir, more):
    (tmp_path / "jobs" / "config").mkdir(parents=True)
    (tmp_path / "jobs" / "config" / "config.yaml").write_text("mine")
    typed = subdir.replace("{tmp}", str(tmp_path))
    swept = cli_run("-m", *TINY_RAW, "method=kmeans", "seed=0,1", *more, f"hydra.sweep.subdir={typed}")
    assert_refused(swept, f"hydra.sweep.subdir={typed} leads out of the sweep's folder")
    assert (tmp_path / "jobs" / "config" / "config.yaml").read_text() == "mine"


def test_a_cache_may_hold_anything_of_earlier_runs(cli_run, tmp_path):
    (tmp_path / "cache" / "kept").mkdir(parents=True)
    (tmp_path / "cache" / "kept" / "old").write_text("old")
    assert cli_run(*TINY_RAW, "method=kmeans", f"cache_dir={tmp_path / 'cache'}").code == 0


def test_a_refused_run_takes_its_own_config_away(cli_run, tmp_path):
    assert cli_run("data=array", "data.path=not_there.npy", name="alone").code == 1
    assert not (tmp_path / "alone").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [("augment=affine", "found samples of 6; type augment=none"), ("net.dims=[]", "type net.dims=[10]")],
)
def test_what_a_constructor_refuses_is_one_line_and_leaves_nothing(cli_run, change, message):
    run = cli_run(*TINY_DEC, change)
    assert_refused(run, message)
    assert not run.folder.exists()


def test_a_recipe_without_published_scores_ends_as_any_other(cli_run):
    run = cli_run(*TINY_RAW, "method=kmeans", "published=null")
    assert run.code == 0, run.err
    assert run.scores["published"] is None
