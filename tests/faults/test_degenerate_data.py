"""Data with nothing to find, or hardly any data: what can be done is done, what cannot is said in one line."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.command_line import TINY

SMALL = tuple(text for text in TINY if not text.startswith(("data", "n_clusters")))
METHODS = (
    "kmeans", "ae_kmeans", "gmm", "ae_gmm", "pca_gmm", "graph", "communities", "dec", "idec", "dcn", "dkm", "vade",
    "scan",
)  # fmt: skip
WITHOUT_NET = ("method=kmeans", "method=gmm", "method=pca_gmm", "method=graph", "method=communities")
pytestmark = pytest.mark.filterwarnings("ignore:Number of distinct clusters")


def on(cli_run, tmp_path, x, *typed, name="run"):
    np.save(tmp_path / "x.npy", np.asarray(x, dtype=np.float64))
    method = next(text for text in typed if text.startswith("method="))
    small = [text for text in SMALL if not (text.startswith("net.") and method in WITHOUT_NET)]
    return cli_run(*small, "data=array", f"data.path={tmp_path}/x.npy", *typed, name=name)


def blobs(n, d=4, k=3):
    draw = np.random.default_rng(0)
    return draw.normal(size=(k, d))[np.arange(n) % k] * 5 + draw.normal(size=(n, d))


@pytest.mark.parametrize("method", METHODS)
def test_one_cluster_holds_everything(cli_run, tmp_path, method):
    run = on(cli_run, tmp_path, blobs(40), "n_clusters=1", f"method={method}")
    assert run.code == 0, run.err
    assert {row["cluster"] for row in run.assignments} == {"0"}
    assert run.scores["fit"]["silhouette"] is None


@pytest.mark.parametrize(
    ("n", "k", "said"),
    [(2, 3, "n_samples=2 should be >= n_clusters=3"), (1, 2, "n_samples=1 should be >= n_clusters=2"),
     (0, 1, "found 0 samples, expected at least 1")],
)  # fmt: skip
def test_fewer_samples_than_clusters_are_refused_in_scikit_learns_words(cli_run, tmp_path, n, k, said):
    run = on(cli_run, tmp_path, blobs(n), f"n_clusters={k}", "method=dec")
    assert (run.code, run.err.count("\n")) == (1, 1)
    assert said in run.err
    assert not run.folder.exists()


@pytest.mark.parametrize("k", [0, -5, 2.5])
def test_a_number_of_clusters_that_is_none_is_refused(cli_run, tmp_path, k):
    run = on(cli_run, tmp_path, blobs(20), f"n_clusters={k}", "method=dec")
    assert run.code == 1
    assert f"n_clusters: found {k}, expected a whole number" in run.err


@pytest.mark.parametrize("method", ["kmeans", "dec", "idec"])
def test_a_single_sample_is_a_cluster(cli_run, tmp_path, method):
    run = on(cli_run, tmp_path, blobs(1), "n_clusters=1", f"method={method}")
    assert run.code == 0, run.err
    assert [row["cluster"] for row in run.assignments] == ["0"]


@pytest.mark.parametrize("method", METHODS)
def test_copies_of_one_sample_leave_clusters_empty_and_nothing_infinite(cli_run, tmp_path, method):
    run = on(cli_run, tmp_path, np.ones((30, 4)), "n_clusters=3", f"method={method}")
    if run.code:  # a mixture, or neighbors, of one point
        assert run.err.count("\n") == 1
        assert "Traceback" not in run.err
        return
    assert sum(run.scores["fit"]["cluster_sizes"]) == 30
    assert all(np.isfinite(float(row["confidence"])) for row in run.assignments)
    assert "warning: " in run.out


@pytest.mark.parametrize("method", ["kmeans", "dec"])
def test_constant_columns_are_fine(cli_run, tmp_path, method):
    x = blobs(60)
    run = on(cli_run, tmp_path, np.hstack([x, np.full((60, 2), 1e6)]), "n_clusters=3", f"method={method}")
    assert run.code == 0, run.err
    assert run.scores["fit"]["n_empty"] == 0


@pytest.mark.parametrize("scale", ["standard", "none"])
def test_huge_values_are_clustered_or_refused_but_never_infinite(cli_run, tmp_path, scale):
    run = on(cli_run, tmp_path, blobs(60) * 1e18, "n_clusters=3", "method=kmeans", f"data.scale={scale}")
    if run.code:
        assert run.err.count("\n") == 1
        assert "data.scale=standard" in run.err
    else:
        assert run.scores["fit"]["n_empty"] == 0
        assert np.isfinite(run.scores["fit"]["davies_bouldin"])
    assert scale == "none" or run.code == 0


@pytest.mark.parametrize("batch", [1000, 59, 30, 60, 1])
@pytest.mark.parametrize("method", ["dec", "idec"])
def test_every_sample_is_trained_on_whatever_the_batch_size(cli_run, tmp_path, batch, method):
    run = on(
        cli_run, tmp_path, blobs(60), "n_clusters=3", f"method={method}", f"fit.batch_size={batch}",
        f"pretrain.batch_size={batch}",
    )  # fmt: skip
    assert run.code == 0, run.err
    assert run.scores["steps"] == 20
    assert len(run.assignments) == 60


@pytest.mark.parametrize(
    ("labels", "acc"),
    [(["a"] * 60, 1.0), (["0", "1", "2"] * 20, 1.0), (["0.0", "1.0", "2.0"] * 20, 1.0), (["x", "", "z"] * 20, 1.0),
     ([""] * 60, None), (["-1"] * 60, None), (["0", "-1", "2"] * 20, 1.0)],
    ids=["one class", "integers", "floats", "gaps", "none", "all -1", "partly -1"],
)  # fmt: skip
def test_labels_of_any_kind_are_scored_or_null_and_change_no_cluster(cli_run, tmp_path, labels, acc):
    lines = [",".join([*map(str, row), label]) for row, label in zip(blobs(60).tolist(), labels, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,d,class", *lines]))
    typed = (*SMALL, "method=dec", "n_clusters=3", "data=array", f"data.path={tmp_path}/t.csv")
    run = cli_run(*typed, "data.label_column=class", name="with")
    without = cli_run(*typed, "data.columns=[a,b,c,d]", name="without")
    assert run.code == 0, run.err
    assert run.labels == without.labels
    found = run.scores["fit"]["acc"]
    if acc is None:
        assert found is None
    elif len(set(labels)) == 1:
        assert found == pytest.approx(max(run.scores["fit"]["cluster_sizes"]) / 60)
    else:
        assert 0.7 <= found <= 1
