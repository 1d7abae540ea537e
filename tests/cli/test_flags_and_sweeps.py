"""Trainer flags, sweeps and the table of a sweep, as a user types them."""

from __future__ import annotations

import csv
import functools
import io
from pathlib import Path

import pytest
import torch
from helpers.command_line import TINY, TINY_DEC, TINY_RAW

from deepcluster_pl.runs import pipeline
from deepcluster_pl.utils.numerics import flushes_denormal

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("accelerator", ["cpu", "auto", "gpu"])
def test_the_accelerator_flag_chooses_the_device(cli_run, accelerator):
    run = cli_run(*TINY_DEC, f"trainer.accelerator={accelerator}")
    if accelerator == "gpu" and not torch.cuda.is_available():
        assert run.code == 1
        assert "trainer.accelerator=cpu" in run.err
        return
    assert run.code == 0, run.err
    expected = "cuda" if accelerator != "cpu" and torch.cuda.is_available() else "cpu"
    assert run.scores["machine"]["accelerator"] == expected


@pytest.mark.parametrize("before", [False, True])
def test_a_run_counts_denormal_numbers_as_zero_and_restores_the_setting(cli_run, monkeypatch, before):
    seen, train = [], pipeline.train
    monkeypatch.setattr(pipeline, "train", lambda *given: seen.append(flushes_denormal()) or train(*given))
    torch.set_flush_denormal(before)
    run = cli_run(*TINY_RAW, "method=kmeans")
    assert run.code == 0, run.err
    assert (seen, flushes_denormal()) == ([True], before)
    torch.set_flush_denormal(False)


def test_bf16_mixed_gives_scores_close_to_float32_and_keeps_weights_in_float32(cli_run):
    full = cli_run(*TINY_DEC, name="full")
    mixed = cli_run(*TINY_DEC, "trainer.precision=bf16-mixed", name="mixed")
    assert mixed.code == 0, mixed.err
    assert mixed.scores["machine"]["precision"] == "bf16-mixed"
    assert mixed.scores["fit"]["nmi"] == pytest.approx(full.scores["fit"]["nmi"], abs=0.1)
    state = torch.load(mixed.folder / "checkpoints/final.ckpt", weights_only=True)
    assert {tensor.dtype for tensor in state["state_dict"].values()} == {torch.float32}
    assert state["callbacks"]["TargetRefresh"]["targets"].dtype == torch.float32
    assert [row["confidence"] for row in mixed.assignments] != [row["confidence"] for row in full.assignments]


@pytest.fixture
def table(deepcluster):
    """Call with a sweep's folder and options of `deepcluster table`."""
    return functools.partial(deepcluster, "table")


def test_a_sweep_of_methods_and_seeds_and_its_table(cli_run, table):
    sweep = cli_run("-m", *TINY_RAW, "method=kmeans,ae_kmeans,dec", "seed=0,1")
    assert sweep.code == 0, sweep.err
    assert sorted(path.name for path in sweep.folder.iterdir() if path.is_dir()) == list("012345")
    assert "6 of 6 jobs finished" in sweep.out
    rows = list(csv.DictReader(io.StringIO(table(sweep.folder, "--format", "csv").out)))
    assert [row["runs"] for row in rows] == ["2", "2", "2"]
    assert ["kmeans" in rows[0]["recipe"], "dec" in rows[2]["recipe"]] == [True, True]
    markdown = table(sweep.folder, "--format", "markdown", "--metrics", "nmi").out.splitlines()
    assert markdown[1].startswith("|--")
    assert all("±" in line for line in markdown[2:])


def test_published_scores_stand_beside_ours(cli_run, table):
    published = "+published.kmeans={fit:{nmi_geometric:0.5}}"
    sweep = cli_run("-m", *TINY_RAW, "method=kmeans,ae_kmeans", "seed=0,1", published)
    assert sweep.code == 0, sweep.err
    assert "nmi_geometric published" in sweep.out
    printed = table(sweep.folder, "--format", "csv", "--metrics", "nmi_geometric").out
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert [row["nmi_geometric published"] for row in rows] == ["0.5", "n/a"]
    assert "published" not in table(sweep.folder, "--metrics", "acc").out.splitlines()[0].partition("runs")[2]


def test_one_failing_job_does_not_stop_the_others_and_is_named(cli_run, table, tmp_path):
    (tmp_path / "good.csv").write_text("a,b\n" + "".join(f"{i % 3 * 9 + i / 100},{i}\n" for i in range(40)))
    (tmp_path / "bad.csv").write_text("a,b\n1,x\n")
    paths = f"data.path={tmp_path}/bad.csv,{tmp_path}/good.csv"
    sweep = cli_run("-m", *TINY_RAW[4:], "data=array", paths, "method=kmeans")
    assert sweep.code == 1
    assert "1 of 2 jobs finished" in sweep.out
    assert "n_samples=1 should be >= n_clusters=3" in sweep.out
    assert (sweep.folder / "1" / "scores.json").is_file()
    printed = table(sweep.folder)
    assert printed.code == 1
    assert "failed" in printed.err


def test_a_launcher_may_take_the_jobs_of_a_sweep_elsewhere(cli_run, tmp_path):
    sweep = cli_run("-m", "hydra/launcher=submitit_local", *TINY_RAW, "method=kmeans", "n_clusters=3,500")
    assert sweep.code == 1
    assert "1 of 2 jobs finished" in sweep.out
    assert "n_samples=120 should be >= n_clusters=500" in sweep.out
    assert (sweep.folder / "0" / "scores.json").is_file()
    assert list((sweep.folder / ".submitit").rglob("*_log.out"))


def test_a_user_s_own_recipes_are_found(cli_run, tmp_path):
    (tmp_path / "mine" / "net").mkdir(parents=True)
    recipe = ROOT / "conf" / "net" / "mlp_autoencoder.yaml"
    (tmp_path / "mine" / "net" / "small.yaml").write_text(recipe.read_text().replace("[500, 500, 2000, 10]", "[8, 3]"))
    run = cli_run("--config-dir", str(tmp_path / "mine"), *TINY_RAW, "net=small", "method=ae_kmeans")
    assert run.code == 0, run.err
    assert torch.load(run.folder / "checkpoints/pretrained.ckpt", weights_only=True)["state_dict"][
        "net.encoder.3.weight"
    ].shape == (3, 8)


def test_cfg_job_shows_the_config_and_runs_nothing(cli_run):
    run = cli_run(*TINY, "--cfg", "job")
    assert run.code == 0
    assert "n_clusters: 3" in run.out
    assert not run.folder.exists()


def test_callbacks_and_loggers_set_to_null_are_switched_off(cli_run):
    run = cli_run(
        *TINY_DEC, "callbacks.cluster_metrics=null", "pretrain.callbacks.probe=null", "logger.tensorboard=null"
    )
    assert run.code == 0, run.err
    assert not list(run.folder.rglob("events.out*"))
    assert "clusters/" not in (run.folder / "fit" / "metrics.csv").read_text()
