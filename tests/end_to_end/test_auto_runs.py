"""`n_clusters=auto`: found on the code, used by all that follows, kept for whoever goes on."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.command_line import TINY_DEC
from sklearn.datasets import make_blobs

from deepcluster_pl import DeepClustering, load_model
from deepcluster_pl.runs.n_clusters_sweep import read_candidates

AUTO = (
    *(text for text in TINY_DEC if not text.startswith(("data", "n_clusters", "pretrain.max_epochs"))),
    "pretrain.max_epochs=40", "data=array", "data.path=x.npy",
    "n_clusters=auto", "choose.largest=6", "choose.n_halvings=4", "choose.n_references=4",
)  # fmt: skip


@pytest.fixture
def four(tmp_path):
    """Four groups, in x.npy."""
    middles = 9 * np.random.default_rng(3).normal(size=(4, 6))
    np.save(tmp_path / "x.npy", make_blobs(200, centers=middles, random_state=0)[0])
    return tmp_path


def number(run):
    return json.loads((run.folder / "n_clusters.json").read_text())


@pytest.mark.usefixtures("four")
def test_the_number_is_found_and_everything_knows_it(cli_run):
    run = cli_run(*AUTO)
    assert run.code == 0, run.err
    assert "n_clusters=4: halves of the data agree by 1.00" in run.out
    assert run.scores["n_clusters"] == 4
    assert run.scores["n_clusters_found"] == number(run)
    assert len(run.scores["fit"]["cluster_sizes"]) == 4
    assert load_model(run.folder / "model").n_clusters == 4
    page = (run.folder / "report.html").read_text()
    assert "estimated: 4 out of 2 to 6. With it, two halves of the data agree by 1.00" in page
    assert "agreement, reference by number of clusters" in page
    typed = cli_run(*(text for text in AUTO if text != "n_clusters=auto"), "n_clusters=4", name="typed")
    assert typed.labels == run.labels
    assert typed.scores["n_clusters_found"] is None
    assert "was estimated" not in (typed.folder / "report.html").read_text()


@pytest.mark.usefixtures("four")
def test_a_run_gone_on_with_keeps_the_number_that_was_found(cli_run):
    run = cli_run(*AUTO)
    first = number(run)
    for gone in ("scores.json", "assignments.csv", "checkpoints/final.ckpt"):
        (run.folder / gone).unlink()
    (run.folder / "n_clusters.json").write_text(json.dumps(first | {"reference": [0.0] * len(first["reference"])}))
    again = cli_run(f"resume={run.folder}")
    assert again.code == 0, again.err
    assert number(again)["reference"] == [0.0] * len(first["reference"])  # read, not found once more
    assert again.labels == run.labels


@pytest.mark.usefixtures("four")
def test_another_run_that_enters_its_fit_takes_the_number_over(cli_run):
    run = cli_run(*AUTO, "checkpoint_interval=0.000001")
    other = cli_run(*AUTO, f"ckpt_path={run.folder}/checkpoints/last.ckpt", name="other")
    assert other.code == 0, other.err
    assert number(other) == number(run)
    (run.folder / "n_clusters.json").unlink()
    refused = cli_run(*AUTO, f"ckpt_path={run.folder}/checkpoints/last.ckpt", name="third")
    assert refused.code == 1
    assert "n_clusters.json cannot be read" in refused.err
    assert "type n_clusters=<number>" in refused.err


@pytest.mark.parametrize("method", ["kmeans", "gmm", "ae_gmm", "idec", "dcn", "vade"])
@pytest.mark.usefixtures("four")
def test_every_kind_of_method_takes_it(cli_run, method):
    recipe = [text for text in AUTO if not text.startswith(("method", "callbacks"))]
    if method in ("kmeans", "gmm"):
        recipe = [text for text in recipe if not text.startswith(("net", "pretrain"))]
    run = cli_run(*recipe, f"method={method}")
    assert run.code == 0, run.err
    assert run.scores["n_clusters"] == 4


def test_a_number_that_was_found_is_none_that_a_sweep_tried(cli_run, four):
    run = cli_run(*(text for text in AUTO if not text.startswith("n_clusters")), "n_clusters=2,3,auto", "-m")
    assert run.code == 0, run.err
    (tried,) = read_candidates(run.folder).values()
    assert [each.n_clusters for each in tried] == [2, 3]
    assert four


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (("n_clusters=auto",), "type data.n_centers=5"),
        (
            ("n_clusters=aut", "data.n_centers=3"),
            "n_clusters: found 'aut', expected a whole number >= 1 or auto",
        ),
        (("n_clusters=auto", "data.n_centers=1", "data.n_samples=1"), "found n_samples=1, expected at least 2"),
        (("n_clusters=auto", "data.n_centers=3", "choose.smallest=1"), "choose.smallest: found 1, expected"),
        (("n_clusters=auto", "data.n_centers=3", "choose.smallest=9", "choose.largest=4"), "above choose.largest=4"),
    ],
)
def test_what_cannot_be_found_is_said_before_anything_is_trained(cli_run, overrides, text):
    run = cli_run(*(typed for typed in TINY_DEC if not typed.startswith(("n_clusters", "data.n_samples"))), *overrides)
    assert run.code == 1
    assert text in run.err
    assert not (run.folder / "pretrain").exists()


def test_the_estimator_finds_it_too(four, tmp_path):
    x = np.load(four / "x.npy")
    settings = ("net.dims=[16,4]", "pretrain.max_epochs=40", "fit.max_steps=20", "choose.largest=6")
    model = DeepClustering("dec", n_clusters="auto", random_state=0, accelerator="cpu", overrides=settings).fit(x)
    assert model.n_clusters_ == len(model.cluster_centers_) == 4
    assert model.predict_proba(x).shape == (len(x), 4)
    model.save(tmp_path / "model")
    again = DeepClustering.load(tmp_path / "model")
    assert (again.n_clusters, again.n_clusters_) == ("auto", 4)
    assert again.predict(x).tolist() == model.labels_.tolist()
