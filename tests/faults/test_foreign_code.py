"""No override, and no folder from elsewhere, makes the program run code that no trusted recipe names."""

from __future__ import annotations

import os
import random
import sys

import numpy as np
import pytest
from helpers.command_line import TINY_DEC, TINY_RAW
from helpers.processes import run_command
from hydra.utils import instantiate
from omegaconf import OmegaConf

from deepcluster_pl import DeepClustering
from deepcluster_pl.config.allowlist import allowed_by, foreign_code
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.validation import problems


@pytest.mark.parametrize(
    "override",
    [
        "method._target_=os.system", "+callbacks.x._target_=os.system",
        "+callbacks.x={_target_: os.system, command: id}",
        "start._target_=sklearn.cluster.Birch", "++trainer.callbacks=[{_target_: os.system}]",
        "fit.optimizer._target_=torch.optim.AdamW", "logger.x._target_=antigravity.x",
        "hydra.callbacks.x._target_=os.system", "+hydra.job_logging.formatters.x.class=os.system",
        "hydra.launcher._target_=os.system", "hydra.launcher.setup=[id]", "hydra.searchpath=[/tmp]",
        "+hydra.job.env_set.LD_PRELOAD=x", "hydra/launcher=../../evil", "hydra/job_logging=default",
        "+callbacks@extra=../../evil", "data=../../evil",
    ],
)  # fmt: skip
def test_an_override_that_names_code_is_refused_and_nothing_is_run(cli_run, tmp_path, override):
    (tmp_path / "evil.yaml").write_text("_target_: os.system\ncommand: id\n")
    run = cli_run(*TINY_DEC, override)
    assert run.code == 1
    assert "Traceback" not in run.err
    assert run.out.count("\n") <= 1  # an optimizer that other recipes have is trusted, and refused for its arguments
    assert not run.folder.exists()


@pytest.mark.parametrize("flag", ["--config-path=/tmp", "--config-name=evil", "--experimental-rerun=x.pickle"])
def test_flags_that_lead_elsewhere_are_refused(cli_run, flag):
    run = cli_run(*TINY_DEC, flag)
    assert run.code == 1
    assert "type --config-dir <folder of your recipes>" in run.err


def test_every_job_of_a_sweep_is_looked_at(cli_run):
    run = cli_run("-m", *TINY_DEC, "start._target_=sklearn.cluster.KMeans,sklearn.cluster.Birch")
    assert run.code == 1
    assert "sklearn.cluster.Birch is in no recipe" in run.err
    assert not run.folder.exists()


def test_a_folder_from_elsewhere_is_not_gone_on_with_if_it_names_code(cli_run):
    run = cli_run(*TINY_DEC)
    config = run.folder / "config" / "config.yaml"
    config.write_text(config.read_text().replace("deepcluster_pl.methods.dec.DEC", "os.system"))
    again = cli_run(f"resume={run.folder}")
    assert again.code == 1
    assert "method._target_: os.system is in no recipe" in again.err


def test_a_sweep_from_elsewhere_is_not_gone_on_with_if_it_names_code(cli_run):
    sweep = cli_run("-m", *TINY_DEC, "seed=0,1")
    kept = sweep.folder / "multirun.yaml"
    kept.write_text(kept.read_text().replace("- seed=0,1", "- seed=0,1\n    - hydra.launcher.setup=[id]"))
    (sweep.folder / "1" / "scores.json").unlink()
    again = cli_run(f"resume={sweep.folder}")
    assert again.code == 1
    assert "hydra.launcher.setup cannot be set on the command line" in again.err


def test_recipes_of_a_named_folder_are_trusted_and_have_to_be_named_again(cli_run, tmp_path):
    (tmp_path / "mine" / "start").mkdir(parents=True)
    (tmp_path / "mine" / "start" / "ward.yaml").write_text(
        "_target_: sklearn.cluster.AgglomerativeClustering\nn_clusters: ${n_clusters}\n"
    )
    recipes = f"--config-dir={tmp_path}/mine"
    run = cli_run(*TINY_DEC, "start=ward", recipes)
    assert run.code == 0, run.err
    assert "AgglomerativeClustering is in no recipe" in cli_run(f"resume={run.folder}").err
    assert cli_run(f"resume={run.folder}", recipes).code == 0


LINES = int(os.environ.get("DEEPCLUSTER_FUZZ_LINES", "100"))
MARKER = "marker-of-a-call"
CALL = f"{{_target_: os.mkdir, path: {MARKER}}}"
"""A harmless call that Hydra would carry out: `test_the_call_of_these_tests_is_one_that_hydra_makes` shows it."""


def test_the_call_of_these_tests_is_one_that_hydra_makes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    instantiate(OmegaConf.create({"a": "${oc.create:" + CALL + "}"}).a)
    assert (tmp_path / MARKER).is_dir()


@pytest.mark.parametrize(
    "override",
    [
        "start='${oc.create:" + CALL + "}'", "+callbacks.x='${oc.create:" + CALL + "}'",
        "callbacks='${oc.create:{x: " + CALL + "}}'", "++logger='${oc.create:{x: " + CALL + "}}'",
        "fit.optimizer='${oc.decode:" + CALL + "}'", "+published.a='${oc.env:HOME}'", "data.name='${oc.env:HOME}'",
        "++hydra={callbacks: {x: " + CALL + "}}", "+hydra={callbacks: {x: " + CALL + "}}",
        "++hydra.launcher.x=" + CALL, "++hydra.sweeper.x=[" + CALL + "]", "hydra.run.dir='${oc.env:HOME}/x'",
        "++published={'${oc.env:HOME}': 1}", "seed='${${method.name}:1}'", "~hydra.job_logging",
    ],
)  # fmt: skip
def test_an_override_that_would_run_something_runs_nothing(cli_run, tmp_path, override):
    run = cli_run(*TINY_DEC, override)
    assert run.code == 1, run.out
    assert "Traceback" not in run.err
    assert not list(tmp_path.rglob(MARKER))
    assert not run.folder.exists()


@pytest.mark.parametrize("where", ["start", "callbacks", "method.name", "published"])
def test_a_saved_config_with_a_resolver_is_refused_by_resume_and_predict(cli_run, deepcluster, tmp_path, where):
    run = cli_run(*TINY_DEC)
    file = run.folder / "config" / "config.yaml"
    cfg = OmegaConf.load(file)
    OmegaConf.update(cfg, where, "${oc.create:" + CALL + "}", force_add=True)
    OmegaConf.save(cfg, file)
    again = cli_run(f"resume={run.folder}")
    assert (again.code, "resolver oc.create is in no recipe" in again.err) == (1, True)
    cfg.data = "${oc.create:" + CALL + "}"
    OmegaConf.save(cfg, file)
    predicted = deepcluster("predict", f"run={run.folder}")
    assert (predicted.code, predicted.err.count("\n")) == (1, 1)
    assert not list(tmp_path.rglob(MARKER))


def test_an_estimators_overrides_run_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    estimator = DeepClustering("dec", n_clusters=2, overrides=("start='${oc.create:" + CALL + "}'",))
    with pytest.raises(ValueError, match=r"resolver oc\.create is in no recipe"):
        estimator.fit(np.random.default_rng(0).normal(size=(20, 3)))
    assert not list(tmp_path.iterdir())


def test_resolvers_of_a_named_folder_are_trusted(cli_run, tmp_path):
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    recipe = "# @package _global_\npublished: {dec: {fit: {acc: '${oc.env:BEST}'}}}\n"
    (tmp_path / "mine" / "experiment" / "ours.yaml").write_text(recipe)
    shown = cli_run(*TINY_DEC, "experiment=ours", f"--config-dir={tmp_path}/mine", "--cfg", "job")
    assert shown.code == 0, shown.err
    assert "${oc.env:BEST}" in shown.out


@pytest.mark.slow
def test_hostile_lines_run_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    keys = ["start", "callbacks", "callbacks.x", "logger", "logger.x", "method", "net", "data", "trainer", "augment",
            "fit.optimizer", "pretrain.module", "hydra", "hydra.launcher.x", "hydra.callbacks.x", "choose", "data.name",
            "method.optimizer", "trainer.profiler", "seed", "published.x", "start.clusterer"]  # fmt: skip
    values = [
        CALL,
        f"{{x: {CALL}}}",
        f"[{CALL}]",
        "${oc.create:" + CALL + "}",
        "${oc.create:{x: " + CALL + "}}",
        "${oc.decode:'" + CALL + "'}",
        "${oc.env:HOME}",
        "os.mkdir",
        "${oc.create:${oc.decode:" + CALL + "}}",
    ]
    refused = 0
    for _ in range(LINES):
        key, value = draw.choice(keys), draw.choice(values)
        key = draw.choice(["", "+", "++"]) + key + draw.choice(["", "", "._target_", ".x"])
        quote = draw.choice(["", "'"])
        composition = compose_checked([f"{key}={quote}{value}{quote}"], draw.random() < 0.2)
        cfg = composition.cfg
        lines = [*composition.problems, *(foreign_code(cfg, allowed_by()) if cfg is not None else [])]
        if not lines:  # nothing foreign is left: what remains may be looked at and checked
            problems(cfg)
        refused += bool(lines)
        assert not list(tmp_path.iterdir()), (key, value)
    assert refused > 0.8 * LINES


def leave_modules(folder):
    """Modules that leave a file where they are imported, under names that a run or a child of it imports."""
    for name in (
        "deepcluster_pl/__init__.py",
        "torch.py",
        "multiprocessing.py",
        "sklearn/__init__.py",
        "sitecustomize.py",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"open({str(folder / MARKER)!r}, 'w').close()\n")


@pytest.mark.parametrize("devices", [1, 2])
def test_a_folder_that_a_run_names_as_its_own_lends_it_no_modules(cli_run, tmp_path, devices):
    run = cli_run(*TINY_DEC, "data.num_workers=1", "data.residency=disk")
    evil = tmp_path / "evil"
    leave_modules(evil)
    file = run.folder / "config" / "hydra.yaml"
    file.write_text(file.read_text().replace(f"cwd: {tmp_path}\n", f"cwd: {evil}\n"))
    assert str(evil) in file.read_text()
    for name in ("scores.json", "checkpoints/final.ckpt", "checkpoints/last.ckpt"):
        (run.folder / name).unlink(missing_ok=True)
    more = ("trainer.devices=2", "trainer.strategy=ddp") if devices == 2 else ()
    done = run_command([f"resume={run.folder}", *more], tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (evil / MARKER).exists()


def test_a_sweep_names_no_modules_either(cli_run, tmp_path, monkeypatch):
    sweep = cli_run("-m", *TINY_RAW, "method=kmeans", "seed=0,1")
    evil = tmp_path / "evil"
    leave_modules(evil)
    file = sweep.folder / "multirun.yaml"
    file.write_text(file.read_text().replace(f"cwd: {tmp_path}\n", f"cwd: {evil}\n"))
    assert str(evil) in file.read_text()
    (sweep.folder / "1" / "scores.json").unlink()
    done = run_command([f"resume={sweep.folder}"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (evil / MARKER).exists()
    # Processes of Python 3.10 import from the folder that they start in, so there nobody is taken to it
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    refused = cli_run(f"resume={sweep.folder}")
    assert (refused.code, refused.err) == (1, f"{sweep.folder} was started in {evil}; type cd {evil} first\n")
