"""DCN and DKM as a user types them: a run, its model read back, a resume that ends with the same weights."""

from __future__ import annotations

import pytest
import torch
from helpers.command_line import TINY_DEC
from safetensors.torch import load_file

from deepcluster_pl import load_model
from deepcluster_pl.data.sources.synthetic import Blobs
from deepcluster_pl.training.callbacks.cluster_metrics import ClusterMetrics

ANNEALED = ("method=dkm", "method.inverse_temperature=0.1", "method.anneal_every=3")
EACH = pytest.mark.parametrize("options", [("method=dcn",), ("method=dkm",), ANNEALED], ids=["dcn", "dkm", "annealed"])


def tiny(*options):
    return [text for text in (*TINY_DEC, *options) if text != "method=dec"]


def weights(run):
    return load_file(run.folder / "model" / "model.safetensors")


@EACH
def test_a_run_moves_its_centers_and_its_model_gives_the_same_clusters(cli_run, common, options):
    run = cli_run(*tiny(*options))
    assert run.code == 0, run.err
    assert (run.scores["steps"], run.scores["stopped"]) == (20, "max_steps")
    start = load_file(run.folder / "start.safetensors")["centers"]
    assert not torch.equal(weights(run)["centers"], start)
    model = load_model(run.folder / "model")
    x = torch.as_tensor(Blobs(120, 6, 3, 1.0, 0, **common()).load().x)
    with torch.no_grad():
        clusters = model.assign(model.net.encode(model.net.prepare(x))).argmax(dim=1)
    assert clusters.tolist() == [int(row["cluster"]) for row in run.assignments]


@EACH
def test_a_resumed_run_ends_with_the_weights_centers_and_counts_of_the_whole_one(cli_run, monkeypatch, options):
    whole = cli_run(*tiny(*options), name="whole")
    calls, original = [], ClusterMetrics.on_refresh

    def cut_at_the_third(*args):
        calls.append(args)
        if len(calls) == 3:
            raise RuntimeError("power cut")
        original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(ClusterMetrics, "on_refresh", cut_at_the_third)
        cut = cli_run(*tiny(*options, "checkpoint_interval=0.000001"), name="cut")
    assert cut.code == 1
    resumed = cli_run(f"resume={cut.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    expected, found = weights(whole), weights(resumed)
    assert {name for name in expected if not torch.equal(found[name], expected[name])} == set()
    assert resumed.labels == whole.labels


def test_every_sample_that_dcn_trained_on_counts_once_where_gradients_are_accumulated_too(cli_run):
    plain = cli_run(*tiny("method=dcn", "method.initial_count=7"), name="plain")
    twice = cli_run(*tiny("method=dcn", "method.initial_count=7", "trainer.accumulate_grad_batches=2"), name="twice")
    assert twice.code == 0, twice.err
    assert weights(plain)["counts"].sum() == 3 * 7 + 5 * 120  # 20 steps, 4 batches to an epoch of 120 samples
    assert weights(twice)["counts"].sum() == 3 * 7 + 10 * 120


@pytest.mark.parametrize("method", ["dcn", "dkm"])
def test_settled_assignments_end_the_fit(cli_run, method):
    run = cli_run(*tiny(f"method={method}", "callbacks.target_refresh.tol=1.0"))
    assert (run.scores["stopped"], run.scores["steps"]) == ("tol", 5)


@pytest.mark.parametrize("method", ["dcn", "dkm"])
def test_distorted_images_train_and_repeat(cli_run, method):
    images = (*tiny(f"method={method}")[4:], "data=digits", "data.subset.size=150")
    first, again, clean = (
        cli_run(*images, f"augment={augment}", name=name)
        for name, augment in (("first", "affine"), ("again", "affine"), ("clean", "none"))
    )
    assert first.code == 0, first.err
    assert again.labels == first.labels
    assert clean.labels != first.labels
