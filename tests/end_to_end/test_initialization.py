"""Starts that compare restarts, and codes whitened after the start, as a user types them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.command_line import TINY, TINY_DEC, TINY_RAW
from safetensors.torch import load_file
from sklearn.datasets import make_blobs

from deepcluster_pl import load_model
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.training.callbacks.cluster_metrics import ClusterMetrics

QUICK = TINY_DEC
WHITE = (*QUICK, "start=gmm", "whiten=1", "data.spread=3.0")


def samples(spread=3.0):
    return torch.as_tensor(make_blobs(120, 6, centers=3, cluster_std=spread, random_state=0)[0], dtype=torch.float32)


def read_back(run, x):
    model = load_model(run.folder / "model")
    with torch.no_grad():
        z = model.net.encode(model.net.prepare(x))
        return model.assign(z).argmax(dim=1).tolist(), z, model.net.decode(z)


def clusters(run):
    return [int(row["cluster"]) for row in run.assignments]


def typed(method, *texts):
    return [text for text in texts if not text.startswith("method=")] + [f"method={method}"]


@pytest.mark.parametrize("start", ["agreed", "agreed_gmm"])
def test_restarts_that_agree_start_a_fit_and_are_on_record(cli_run, start):
    run = cli_run(*typed("idec", *QUICK), f"start={start}", "start.n_restarts=4")
    assert run.code == 0, run.err
    kept = Initialization.load(run.folder / "start.safetensors")
    assert (kept.agreement.shape, kept.criterion.shape) == ((4,), (4,))
    assert "agreement of 4 restarts with the others" in run.out
    assert run.scores["baselines"]["kmeans_code"]["fit"]["n"] == 120
    assert read_back(run, samples(1.0))[0] == clusters(run)


def test_a_nested_clusterer_is_checked_by_name_and_value(cli_run, tmp_path):
    (tmp_path / "mine" / "start").mkdir(parents=True)
    (tmp_path / "mine" / "start" / "ward.yaml").write_text("_target_: sklearn.cluster.AgglomerativeClustering\n")
    unknown = cli_run(*QUICK, "start=agreed", "start.clusterer.n_inits=3", name="a")
    wrong = cli_run(*QUICK, "start=agreed", "start.clusterer.init=sideways", name="b")
    single = cli_run(*QUICK, "start=agreed", "start.n_restarts=1", name="c")
    none = cli_run(
        *QUICK, "start=agreed", "start.clusterer._target_=sklearn.cluster.AgglomerativeClustering",
        f"--config-dir={tmp_path}/mine",
        "~start.clusterer.n_init", "~start.clusterer.init", "~start.clusterer.max_iter", "~start.clusterer.tol",
        "~start.clusterer.algorithm", name="d",
    )  # fmt: skip
    texts = ("did you mean start.clusterer.n_init?", "start: The 'init' parameter", "found 1, expected a whole number",
             "so use one that takes it")  # fmt: skip
    for run, text in zip((unknown, wrong, single, none), texts, strict=True):
        assert run.code == 1
        assert "Traceback" not in run.err
        assert text in run.err


@pytest.mark.parametrize("method", ["dec", "idec"])
@pytest.mark.parametrize("start", ["gmm", "kmeans"])
def test_a_whitened_code_is_fitted_and_read_back(cli_run, method, start):
    run = cli_run(*typed(method, *WHITE), f"start={start}")
    assert run.code == 0, run.err
    assert "embeddings whitened, their axes stretched by" in run.out
    assert read_back(run, samples())[0] == clusters(run)


def test_the_start_is_of_the_new_code_and_the_reconstruction_is_the_old_one(cli_run):
    plain = cli_run(*typed("ae_gmm", *TINY), "data.spread=3.0", name="plain")
    white = cli_run(*typed("ae_gmm", *TINY), "data.spread=3.0", "whiten=2", name="white")
    assert white.code == 0, white.err
    same, old_code, old = read_back(plain, samples())
    labels, code, reconstruction = read_back(white, samples())
    torch.testing.assert_close(reconstruction, old, atol=1e-4, rtol=1e-4)
    start = Initialization.load(white.folder / "start.safetensors")
    expected = (old_code.double() - start.code_shift) @ start.code_matrix.T
    torch.testing.assert_close(code.double(), expected, atol=1e-4, rtol=1e-4)
    assert labels == same == start.labels.tolist() == clusters(white)
    assert white.scores["start"] == plain.scores["start"]
    q = load_model(white.folder / "model").assign(code).double()
    found = sum(
        q[:, k, None, None] * (d := code.double() - start.centers[k])[:, :, None] * d[:, None] for k in range(3)
    )
    np.testing.assert_allclose(found.mean(dim=0), 2 / 4 * np.eye(4), atol=2e-3)
    weights = [load_file(run.folder / "model" / "model.safetensors") for run in (plain, white)]
    changed = {name for name in weights[0] if name.startswith("net.") and not torch.equal(*(w[name] for w in weights))}
    assert changed == {"net.encoder.3.weight", "net.encoder.3.bias", "net.decoder.0.weight", "net.decoder.0.bias"}


def test_kmeans_on_the_code_stays_of_the_pretrained_one(cli_run):
    plain = cli_run(*QUICK, "data.spread=3.0", name="plain")
    white = cli_run(*QUICK, "data.spread=3.0", "whiten=1", name="white")
    assert white.scores["baselines"] == plain.scores["baselines"]
    assert plain.scores["baselines"]["kmeans_code"] == plain.scores["start"]
    assert white.scores["start"] != plain.scores["start"]


@pytest.mark.parametrize("method", ["dec", "idec"])
def test_a_resumed_run_goes_on_in_the_whitened_code(cli_run, monkeypatch, method):
    whole = cli_run(*typed(method, *WHITE), name="whole")
    calls, original = [], ClusterMetrics.on_refresh

    def cut_at_the_third(*args):
        calls.append(args)
        if len(calls) == 3:
            raise RuntimeError("power cut")
        original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(ClusterMetrics, "on_refresh", cut_at_the_third)
        cut = cli_run(*typed(method, *WHITE), "checkpoint_interval=0.000001", name="cut")
    assert cut.code == 1
    resumed = cli_run(f"resume={cut.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels
    assert resumed.scores["start"] == whole.scores["start"]


def test_ckpt_path_of_a_fit_in_a_whitened_code_trains_further(cli_run):
    whole = cli_run(*WHITE, name="whole")
    entered = f"ckpt_path={whole.folder}/checkpoints/final.ckpt"
    longer = cli_run(*WHITE, "fit.max_steps=30", entered, name="longer")
    straight = cli_run(*WHITE, "fit.max_steps=30", name="straight")
    assert longer.code == 0, longer.err
    assert longer.labels == straight.labels
    assert longer.scores["start"] == whole.scores["start"]


@pytest.mark.parametrize(
    ("overrides", "instead"),
    [
        (typed("dec", *TINY, "net.code_activation=sigmoid", "whiten=1"), "net.code_activation=null"),
        (typed("kmeans", *TINY_RAW, "whiten=1"), "choose net=mlp_autoencoder"),
    ],
)
def test_a_code_that_cannot_be_changed_is_refused_before_anything_is_trained(cli_run, overrides, instead):
    run = cli_run(*overrides)
    assert run.code == 1
    assert run.out.count("\n") == 1
    assert run.err == f"whiten=1 needs a linear embedding; type whiten=null, or {instead}\n"


def test_a_start_past_its_limit_is_found_on_a_seeded_sample_and_every_sample_gets_a_cluster(cli_run):
    run = cli_run(*QUICK, "start_sample_size=50", "data.spread=0.05", name="some")
    assert run.code == 0, run.err
    assert "start: found on 50 of 120 samples" in run.out
    start = load_file(run.folder / "start.safetensors")
    assert start["labels"].shape == (50,)
    assert len(run.assignments) == 120
    whole = cli_run(*QUICK, "start_sample_size=null", "data.spread=0.05", name="whole")
    assert "found on" not in whole.out
    assert run.scores["fit"]["acc"] == whole.scores["fit"]["acc"] == 1.0
    again = cli_run(*QUICK, "start_sample_size=50", "data.spread=0.05", name="again")
    assert again.labels == run.labels


def test_a_whitened_start_is_of_the_sample_it_was_found_on(cli_run):
    run = cli_run(*WHITE, "start=kmeans", "start_sample_size=60", "method=idec")
    assert run.code == 0, run.err
    matrix = load_file(run.folder / "start.safetensors")["code_matrix"]
    assert bool(torch.isfinite(matrix).all())
    assert len(run.assignments) == 120
