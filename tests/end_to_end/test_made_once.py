"""A config is checked once, and each of its objects is made once."""

from __future__ import annotations

from collections import Counter

import pytest
from helpers.command_line import TINY, TINY_DEC

from deepcluster_pl.config import instantiate as module
from deepcluster_pl.config import validation


@pytest.fixture
def counted(monkeypatch):
    """Counts what is instantiated, by its target, and the checks of whole configs."""
    made, checks = Counter(), []
    instantiate, problems = module.instantiate, validation.problems

    def counting(node, **supplied):
        for target in targets(node):
            made[target] += 1
        return instantiate(node, **supplied)

    monkeypatch.setattr(module, "instantiate", counting)
    monkeypatch.setattr(validation, "problems", lambda cfg: checks.append(cfg) or problems(cfg))
    return made, checks


def targets(node):
    if hasattr(node, "items"):
        own = [str(node["_target_"])] if "_target_" in node else []
        return own + [target for value in node.values() for target in targets(value)]
    return []


def test_a_run_makes_each_object_once_and_checks_its_config_once(cli_run, counted):
    run = cli_run(*TINY_DEC, "callbacks=brb", "callbacks.weight_reset.interval=1", "fit.max_steps=20")
    assert run.code == 0, run.err
    made, checks = counted
    shared = {"torch.optim.Adam", "torch.optim.SGD", "sklearn.cluster.KMeans"}  # nodes that other nodes refer to
    shared.add("deepcluster_pl.training.callbacks.cosine_annealing.CosineAnnealing")  # one for each stage
    assert {target: count for target, count in made.items() if count > 1 and target not in shared} == {}
    assert made["deepcluster_pl.methods.dec.DEC"] == made["pytorch_lightning.Trainer"] == 1
    assert len(checks) == 1


def test_an_estimated_number_of_clusters_makes_again_only_what_depends_on_it(cli_run, counted):
    data = [text for text in TINY if not text.startswith("n_clusters")]
    run = cli_run(*data, "data.n_centers=3", "method=ae_kmeans", "n_clusters=auto", "choose.largest=4")
    assert run.code == 0, run.err
    made, checks = counted
    assert made["sklearn.cluster.KMeans"] == 2
    assert made["deepcluster_pl.data.sources.synthetic.Blobs"] == 1
    assert made["deepcluster_pl.methods.initialization.n_clusters.SplitHalfStability"] == 1
    assert len(checks) == 1
