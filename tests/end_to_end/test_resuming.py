"""Beginning where another run ended: pretrained, resume, ckpt_path."""

from __future__ import annotations

import re
import shutil

import pytest
from helpers.command_line import TINY_DEC

from deepcluster_pl.training.callbacks.cluster_metrics import ClusterMetrics
from deepcluster_pl.training.callbacks.kmeans_probe import KMeansProbe
from deepcluster_pl.utils.tensor_files import load_with_notes, save_tensors


def test_pretrained_gives_the_labels_of_the_full_run(cli_run):
    full = cli_run(*TINY_DEC, name="full")
    short = cli_run(*TINY_DEC, f"pretrained={full.folder}/checkpoints/pretrained.ckpt", name="short")
    assert short.code == 0, short.err
    assert short.labels == full.labels
    assert not (short.folder / "pretrain").exists()


def test_pretrained_auto_trains_once_for_methods_of_one_seed(cli_run, tmp_path):
    auto = (*TINY_DEC, "pretrained=auto", f"cache_dir={tmp_path}/cache")
    first, second = cli_run(*auto, name="a"), cli_run(*auto, "fit.max_steps=10", name="b")
    other_seed = cli_run(*auto, "seed=1", name="c")
    assert [(run.folder / "pretrain").exists() for run in (first, second, other_seed)] == [True, False, True]
    assert second.scores["start"] == first.scores["start"]


def test_pretrained_of_another_net_is_refused_with_both_shapes(cli_run):
    full = cli_run(*TINY_DEC, name="full")
    other = cli_run(*TINY_DEC, f"pretrained={full.folder}/checkpoints/pretrained.ckpt", "net.dims=[8,4]", name="b")
    assert other.code == 1
    assert "(16, 6) in the file and (8, 6) in this run" in other.err
    assert "Traceback" not in other.err


@pytest.mark.parametrize(
    ("stage", "owner", "hook"),
    [("pretrain", KMeansProbe, "on_train_epoch_end"), ("fit", ClusterMetrics, "on_refresh")],
)
def test_resume_goes_on_in_place_and_ends_with_the_same_labels(cli_run, monkeypatch, stage, owner, hook):
    whole = cli_run(*TINY_DEC, name="whole")
    calls, original = [], getattr(owner, hook)

    def cut_at_the_third(*args):
        calls.append(args)
        if len(calls) == 3:
            raise RuntimeError("power cut")
        original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(owner, hook, cut_at_the_third)
        cut = cli_run(*TINY_DEC, "checkpoint_interval=0.000001", name="cut")
    assert cut.code == 1
    assert (cut.folder / "checkpoints" / "pretrained.ckpt").exists() == (stage == "fit")
    resumed = cli_run(f"resume={cut.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels
    assert resumed.scores["steps"] == 20


def test_resume_of_a_finished_run_changes_no_label_and_keeps_the_warnings_of_stages_it_skips(cli_run, tmp_path):
    (tmp_path / "file").write_text("no folder")
    whole = cli_run(*TINY_DEC, "pretrained=auto", f"cache_dir={tmp_path}/file", name="whole")
    assert whole.code == 0, whole.err
    before, warned = whole.labels, whole.scores["warnings"]
    assert "pretrained/" in warned[0]
    assert len(warned) > 1  # those of baselines, which are computed again
    again = cli_run(f"resume={whole.folder}", name="whole")
    assert again.code == 0, again.err
    assert again.labels == before
    assert again.scores["warnings"] == warned


def test_resume_of_a_sweep_keeps_what_is_finished_and_does_the_rest(cli_run, monkeypatch):
    cut = cli_run("-m", *TINY_DEC, "baselines=none", "seed=0,1,2,3", "checkpoint_interval=0.000001", name="cut")
    whole = {job: (cut.folder / job / "assignments.csv").read_text() for job in "0123"}
    (cut.folder / "1" / "scores.json").unlink()
    (cut.folder / "1" / "checkpoints" / "final.ckpt").unlink()
    (cut.folder / "1" / "assignments.csv").unlink()
    shutil.rmtree(cut.folder / "3")
    (cut.folder / "2" / "report.html").unlink()  # as if killed after its scores
    first = (cut.folder / "0" / "scores.json").stat().st_mtime_ns
    monkeypatch.chdir("/")
    resumed = cli_run(f"resume={cut.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert "4 of 4 jobs finished" in resumed.out
    assert resumed.out.count("finished before") == 1
    assert (cut.folder / "2" / "report.html").is_file()
    assert (cut.folder / "0" / "scores.json").stat().st_mtime_ns == first
    assert {job: (cut.folder / job / "assignments.csv").read_text() for job in whole} == whole


def test_resume_of_a_sweep_takes_nothing_else(cli_run):
    sweep = cli_run("-m", *TINY_DEC, "seed=0,1", name="sweep")
    refused = cli_run(f"resume={sweep.folder}", "trainer.precision=bf16-mixed")
    assert (refused.code, refused.out) == (1, "")
    assert "as it was typed; leave out trainer.precision=bf16-mixed" in refused.err
    again = cli_run("-m", *TINY_DEC, "seed=0,1", name="sweep")
    assert f"type deepcluster resume={sweep.folder} to continue" in again.err


@pytest.mark.parametrize("content", ["", "- 1", "hydra: {", "hydra: {overrides: 3}"])
def test_a_sweep_that_cannot_be_read_is_said_in_one_line(cli_run, tmp_path, content):
    (tmp_path / "multirun.yaml").write_text(content)
    refused = cli_run(f"resume={tmp_path}")
    assert refused.code == 1
    assert refused.err.startswith(f"resume={tmp_path}: multirun.yaml cannot be read")
    assert len(refused.err.splitlines()) == 1


def test_resume_takes_no_other_setting_than_the_machines(cli_run):
    whole = cli_run(*TINY_DEC, name="whole")
    refused = cli_run(f"resume={whole.folder}", "seed=3", name="whole")
    assert (refused.code, refused.out) == (1, "")
    assert "only trainer.* may differ, not seed=3" in refused.err
    assert cli_run(f"resume={whole.folder}", "trainer.precision=bf16-mixed", name="whole").code == 0


def test_ckpt_path_of_the_fit_trains_further_in_a_new_folder(cli_run):
    whole = cli_run(*TINY_DEC, name="whole")
    before = {path: path.stat().st_mtime_ns for path in whole.folder.rglob("*") if path.is_file()}
    longer = cli_run(*TINY_DEC, "fit.max_steps=30", f"ckpt_path={whole.folder}/checkpoints/final.ckpt", name="longer")
    assert longer.code == 0, longer.err
    assert longer.scores["steps"] == 30
    assert longer.scores["start"] == whole.scores["start"]
    assert {path: path.stat().st_mtime_ns for path in whole.folder.rglob("*") if path.is_file()} == before
    straight = cli_run(*TINY_DEC, "fit.max_steps=30", name="straight")
    assert longer.labels == straight.labels


def test_ckpt_path_of_pretraining_trains_further(cli_run):
    short = cli_run(*TINY_DEC, name="short")
    longer = cli_run(
        *TINY_DEC, "pretrain.max_epochs=5", f"ckpt_path={short.folder}/checkpoints/pretrained.ckpt", name="b"
    )
    straight = cli_run(*TINY_DEC, "pretrain.max_epochs=5", name="c")
    assert longer.labels == straight.labels


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 broken zip"])
@pytest.mark.parametrize("option", ["pretrained", "ckpt_path"])
def test_a_broken_checkpoint_is_named_in_one_line(cli_run, tmp_path, content, option):
    (tmp_path / "broken.ckpt").write_bytes(content)
    run = cli_run(*TINY_DEC, f"{option}={tmp_path}/broken.ckpt")
    assert run.code == 1
    assert run.err.count("\n") == 1
    assert "broken.ckpt" in run.err


def test_what_may_know_the_held_out_samples_is_refused(cli_run):
    first = cli_run(*TINY_DEC, "data.holdout=0.3", name="first")
    other_split = (*TINY_DEC, "seed=1", "data.random_state=0", "data.holdout=0.3")
    pretrained = cli_run(*other_split, f"pretrained={first.folder}/checkpoints/pretrained.ckpt", name="b")
    assert pretrained.code == 1
    assert "may include those held out here" in pretrained.err
    further = cli_run(*other_split, f"ckpt_path={first.folder}/checkpoints/final.ckpt", name="c")
    assert further.code == 1
    assert "other settings (data, start, seed)" in further.err


def test_a_net_pretrained_on_other_data_is_welcome_where_nothing_is_held_out(cli_run):
    first = cli_run(*TINY_DEC, name="first")
    ckpt = f"pretrained={first.folder}/checkpoints/pretrained.ckpt"
    other = cli_run(*TINY_DEC, "data.random_state=5", ckpt, name="other")
    assert other.code == 0, other.err
    assert "trained on other data" in other.out


@pytest.mark.parametrize("which", ["final", "last"])
def test_only_a_finished_pretraining_is_pretrained(cli_run, monkeypatch, which):
    if which == "final":
        path = cli_run(*TINY_DEC, name="first").folder / "checkpoints" / "final.ckpt"
    else:

        def cut(*args):
            raise RuntimeError("power cut")

        with monkeypatch.context() as patch:
            patch.setattr(KMeansProbe, "on_train_epoch_end", cut)
            path = cli_run(*TINY_DEC, "checkpoint_interval=0.000001", name="first").folder / "checkpoints" / "last.ckpt"
    refused = cli_run(*TINY_DEC, f"pretrained={path}", name="second")
    assert refused.code == 1
    assert "expected checkpoints/pretrained.ckpt" in refused.err
    assert refused.err.count("\n") == 1


def test_a_damaged_start_is_named(cli_run):
    run = cli_run(*TINY_DEC)
    (run.folder / "start.safetensors").write_bytes(b"\x10\x00")
    again = cli_run(f"resume={run.folder}")
    assert again.code == 1
    assert "start.safetensors is damaged" in again.err


def test_a_start_of_other_settings_is_refused_and_computed_again_once_it_is_deleted(cli_run):
    run = cli_run("data=blobs", "data.n_samples=60", "method=kmeans", "n_clusters=3", "baselines=none")
    start, config = run.folder / "start.safetensors", run.folder / "config" / "config.yaml"
    first = load_with_notes(start)
    config.write_text(re.sub("n_init: [0-9]+", "n_init: 7", config.read_text()))
    refused = cli_run(f"resume={run.folder}")
    assert refused.code == 1
    assert refused.err.startswith(f"{start} belongs to other settings (start); delete it")
    start.unlink()
    again = cli_run(f"resume={run.folder}")
    assert again.code == 0, again.err
    assert load_with_notes(start)[1] != first[1]
    # A file of an earlier version names no settings
    save_tensors(first[0], start)
    assert "was written by an earlier version" in cli_run(f"resume={run.folder}").err


def test_a_damaged_cache_is_made_again(cli_run, tmp_path):
    auto = (*TINY_DEC, "pretrained=auto", f"cache_dir={tmp_path}/cache")
    first = cli_run(*auto, name="first")
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert {path.suffix for path in kept} == {".npz", ".ckpt"}
    for path in kept:
        path.write_bytes(path.read_bytes()[:40])
    second = cli_run(*auto, name="second")
    assert second.code == 0, second.err
    assert second.labels == first.labels
    assert second.scores["baselines"] == first.scores["baselines"]
    assert min(path.stat().st_size for path in kept) > 40


def test_a_cached_net_that_does_not_fit_or_is_a_link_is_made_again(cli_run, tmp_path):
    auto = (*TINY_DEC, "pretrained=auto", f"cache_dir={tmp_path}/cache")
    first = cli_run(*auto, name="first")
    other = cli_run(*TINY_DEC, "net.dims=[8,4]", name="other").folder / "checkpoints" / "pretrained.ckpt"
    (cached,) = (tmp_path / "cache").rglob("*.ckpt")
    before = other.read_bytes()
    cached.unlink()
    cached.symlink_to(other)
    second = cli_run(*auto, name="second")
    assert second.code == 0, second.err
    assert second.labels == first.labels
    assert (second.folder / "pretrain").exists()
    assert other.read_bytes() == before
    assert not cached.is_symlink()


def test_a_checkpoint_of_a_fit_needs_the_rest_of_its_run(cli_run, tmp_path):
    whole = cli_run(*TINY_DEC, name="whole")
    (tmp_path / "alone.ckpt").write_bytes((whole.folder / "checkpoints" / "final.ckpt").read_bytes())
    refused = cli_run(*TINY_DEC, f"ckpt_path={tmp_path}/alone.ckpt", name="b")
    assert refused.code == 1
    assert "needs" in refused.err
    assert "pretrained.ckpt of its own run" in refused.err


@pytest.mark.parametrize("other", ["start=gmm", "whiten=1"])
def test_a_fit_from_another_start_is_not_gone_on_from(cli_run, other):
    whole = cli_run(*TINY_DEC, name="whole")
    refused = cli_run(*TINY_DEC, other, f"ckpt_path={whole.folder}/checkpoints/final.ckpt", name="b")
    assert refused.code == 1
    assert "belongs to other settings (start)" in refused.err
    early = cli_run(*TINY_DEC, other, f"ckpt_path={whole.folder}/checkpoints/pretrained.ckpt", name="c")
    assert early.code == 0, early.err


def test_a_trainer_setting_that_is_new_goes_with_resume(cli_run):
    whole = cli_run(*TINY_DEC, name="whole")
    again = cli_run(f"resume={whole.folder}", "+trainer.benchmark=false", name="whole")
    assert again.code == 0, again.err
    assert again.labels == whole.labels


@pytest.mark.parametrize("tail", [b"", b"\0" * 512])
def test_a_run_whose_curves_were_cut_ends_with_the_same_labels_and_a_report(cli_run, monkeypatch, tail):
    whole = cli_run(*TINY_DEC, name="whole")

    def power_cut(*args):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(ClusterMetrics, "on_refresh", power_cut)
        cut = cli_run(*TINY_DEC, "checkpoint_interval=0.000001", name="cut")
    assert cut.code == 1
    for stage in ("pretrain", "fit"):
        file = cut.folder / stage / "metrics.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((whole.folder / stage / "metrics.csv").read_bytes()[:-5] + tail)
    resumed = cli_run(f"resume={cut.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels
    assert (cut.folder / "report.html").is_file()
