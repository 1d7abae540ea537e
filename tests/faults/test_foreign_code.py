"""No override, and no folder from elsewhere, makes the program run code that no trusted recipe names."""

from __future__ import annotations

import pytest
from helpers.command_line import TINY_DEC


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
    assert run.out == ""
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
