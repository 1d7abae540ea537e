"""`data.path=` without `data=array` is understood: the run prints the source, and stores it with its overrides."""

from __future__ import annotations

import numpy as np
from helpers.command_line import TINY
from omegaconf import OmegaConf

QUICK = ("method=kmeans", "n_clusters=3", "trainer.accelerator=cpu")


def write_table(path):
    np.save(path, np.random.default_rng(0).normal(size=(60, 4)))


def test_a_run_prints_and_stores_the_source_that_was_understood(cli_run, tmp_path):
    write_table(tmp_path / "x.npy")
    run = cli_run(*QUICK, "data.path=x.npy")
    assert run.code == 0, run.err
    assert run.out.splitlines()[1] == "data=array, the only source that has the keys typed"
    assert OmegaConf.load(run.folder / "config" / "overrides.yaml")[0] == "data=array"
    assert "data=array" in run.scores["command"]
    again = cli_run(f"resume={run.folder}")
    assert again.code == 0, again.err
    assert again.labels == run.labels


def test_a_sweep_stores_it_in_every_job(cli_run, tmp_path):
    write_table(tmp_path / "a.npy")
    write_table(tmp_path / "b.npy")
    sweep = cli_run("-m", *QUICK, "data.path=a.npy,b.npy")
    assert sweep.code == 0, sweep.err
    for job in "01":
        assert "data=array" in OmegaConf.load(sweep.folder / job / "config" / "overrides.yaml")


def test_the_config_that_is_shown_has_it(cli_run):
    shown = cli_run(*QUICK, "data.path=x.npy", "--cfg", "job")
    assert shown.code == 0, shown.err
    assert OmegaConf.create(shown.out).data.name == "array"


def test_a_source_that_was_typed_is_left_alone(cli_run):
    run = cli_run(*TINY, "data.path=x.npy")
    assert run.code == 1
    assert "data.path: no such key with data=blobs; choose data=array" in run.err
    assert "only source" not in run.out
