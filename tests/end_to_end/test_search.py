"""Sweeps that search, and sweeps whose jobs run side by side, through Hydra's plugins."""

from __future__ import annotations

import pytest
from helpers.command_line import TINY

from deepcluster_pl.config import hydra_state
from deepcluster_pl.config.compose import compose_checked

SEARCH = (
    "-m", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=1", "hydra.sweeper.sampler.seed=0",
    *TINY, "method=ae_kmeans", "baselines=none",
)  # fmt: skip
RATES = "pretrain.optimizer.lr=interval(0.0001,0.01)"


def objectives(sweep, metric):
    jobs = [sweep.folder / name for name in "012"]
    return {job.name: sweep.__class__(0, "", "", job).scores["fit"][metric] for job in jobs}


@pytest.mark.parametrize(("metric", "best"), [("silhouette", max), ("davies_bouldin", min)])
def test_a_search_looks_for_the_best_and_says_what_it_was(cli_run, metric, best):
    sweep = cli_run(*SEARCH, RATES, f"objective.metric={metric}")
    assert sweep.code == 0, sweep.err
    found = objectives(sweep, metric)
    assert len(set(found.values())) > 1
    job = next(name for name, value in found.items() if value == best(found.values()))
    typed = (sweep.folder / job / "config" / "overrides.yaml").read_text()
    rate = next(line for line in typed.splitlines() if "lr=" in line).partition("lr=")[2]
    assert f"best {metric} {found[job]:.4g}: pretrain.optimizer.lr={rate}" in sweep.out
    assert "all with data=blobs" in sweep.out


def test_a_search_by_labels_says_so(cli_run):
    sweep = cli_run(*SEARCH, RATES, "objective.metric=nmi", "objective.uses_labels=true")
    assert "(chosen with labels): pretrain.optimizer.lr=" in sweep.out


def test_a_search_the_wrong_way_round_is_refused(cli_run):
    sweep = cli_run(*SEARCH, RATES, "hydra.sweeper.direction=minimize")
    assert sweep.code == 1
    assert "looks for the worst silhouette; type hydra.sweeper.direction=maximize" in sweep.err
    assert not sweep.folder.exists()


def test_a_grid_is_searched_whole_and_a_search_does_not_go_on(cli_run):
    grid = tuple(text for text in SEARCH if "sampler.seed" not in text)
    sweep = cli_run(*grid, "hydra/sweeper/sampler=grid", "pretrain.optimizer.lr=choice(0.001,0.01)")
    assert sweep.code == 0, sweep.err
    assert "2 of 2 jobs finished" in sweep.out
    again = cli_run(f"resume={sweep.folder}")
    assert again.code == 1
    assert "hydra.sweeper.storage=sqlite" in again.err


def test_jobs_of_a_sweep_run_side_by_side(cli_run):
    sweep = cli_run(
        "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *TINY, "method=ae_kmeans", "n_clusters=3,500"
    )
    assert sweep.code == 1
    assert "1 of 2 jobs finished" in sweep.out
    assert "n_samples=120 should be >= n_clusters=500" in sweep.out


def test_a_plugin_that_is_not_installed_is_named_with_the_extra(monkeypatch):
    plain = hydra_state.compose

    def without(name, **options):
        if any("sweeper=optuna" in text for text in options["overrides"]):
            raise RuntimeError("Could not find 'hydra/sweeper/optuna'\n\nAvailable options")
        return plain(name, **options)

    monkeypatch.setattr(hydra_state, "compose", without)
    problems = compose_checked(["hydra/sweeper=optuna"], True).problems
    assert problems == ["Could not find 'hydra/sweeper/optuna'; type pip install 'deepcluster_pl[sweep]'"]
