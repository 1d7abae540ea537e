"""Settings as a dict, scaling that is not done twice, sparse matrices, report, plot, and what a notebook shows."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
import rich.console
import torch
from scipy import sparse
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from deepcluster_pl import DeepClustering
from deepcluster_pl.config.overrides import as_overrides
from deepcluster_pl.estimator import samples

mpl.use("Agg")
X, Y = make_blobs(120, centers=3, n_features=6, random_state=0)
WIDE = np.tile(X, 4)
SMALL = {"pretrain.max_epochs": 3, "fit": {"max_steps": 20}, "net.dims": [16, 4]}


@pytest.fixture(scope="module")
def fitted():
    return DeepClustering("kmeans", n_clusters=3, random_state=0).fit(X)


def test_overrides_are_a_dict_or_texts_and_mean_the_same():
    typed = ("pretrain.max_epochs=3", "fit.max_steps=20", "net.dims=[16,4]")
    assert as_overrides(SMALL) == list(typed)
    labels = [
        DeepClustering("dec", n_clusters=3, random_state=0, overrides=given).fit(X).labels_.tolist()
        for given in (SMALL, typed)
    ]
    assert labels[0] == labels[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"), (True, "true"), ("pca", "pca"), ("null", "'null'"), ("a b", "'a b'"), ("it's", r"'it\'s'"),
        (np.float32(0.5), "0.5"), ((1, "x y"), "[1,'x y']"), ("3", "'3'"),
    ],
)  # fmt: skip
def test_values_are_typed_as_hydra_reads_them(value, text):
    assert as_overrides({"key": value}) == [f"key={text}"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ("fit.max_steps", "overrides: found 'fit.max_steps', expected <key>=<value>"),
        (5, "overrides: found 5, expected a dict"),
        ({"fit.max_stepss": 3}, "did you mean fit.max_steps"),
    ],
)
def test_a_plain_string_or_a_wrong_key_is_one_error_of_one_line(overrides, message):
    with pytest.raises(ValueError, match=message) as caught:
        DeepClustering("dec", overrides=overrides).fit(X)
    assert "\n" not in str(caught.value)


def test_a_forgotten_comma_leaves_one_override():
    assert DeepClustering("kmeans", n_clusters=3, overrides=("map=pca")).fit(X).n_clusters_ == 3


def test_by_default_methods_are_tried_and_the_number_is_estimated_but_not_from_a_dozen_samples():
    assert (DeepClustering().method, DeepClustering().n_clusters) == ("auto", "auto")
    with pytest.warns(UserWarning, match=r"at least 20 samples, found 12: 2 clusters are taken; write n_clusters="):
        assert DeepClustering("kmeans", random_state=0).fit(X[:12]).n_clusters_ == 2


def test_precision_and_scale_are_parameters_that_are_saved(tmp_path):
    chosen = DeepClustering(
        "dec", n_clusters=3, scale="unit", precision="bf16-mixed", overrides=SMALL, accelerator="cpu"
    )
    chosen.fit(X).save(tmp_path / "model")
    np.testing.assert_allclose(chosen.model_.net.factor.numpy(), 1 / np.ptp(X, axis=0), rtol=1e-4)
    again = DeepClustering.load(tmp_path / "model")
    assert (again.scale, again.precision) == ("unit", "bf16-mixed")
    assert again.predict(X).tolist() == chosen.labels_.tolist()


def test_one_hot_columns_beside_standardized_ones_are_not_scaled_a_second_time():
    x = np.concatenate(
        [StandardScaler().fit_transform(X), np.eye(12)[np.random.default_rng(0).integers(12, size=120)]], 1
    )
    left = DeepClustering("kmeans", n_clusters=3, random_state=0).fit(x)
    twice = DeepClustering("kmeans", n_clusters=3, random_state=0, scale="standard").fit(x)
    assert left.scaling_ == "left as they are: 12 of zeros and ones and 6 of mean 0 and variance 1, of 18 columns"
    assert left.scaling_ in left._repr_html_()
    assert adjusted_rand_score(Y, left.labels_) == 1 > adjusted_rand_score(Y, twice.labels_)


def test_tensors_of_bfloat16_are_float32():
    x = torch.from_numpy(X).bfloat16()
    assert DeepClustering("kmeans", n_clusters=3).fit(x).transform(x).dtype == np.float32


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.coo_array])
def test_sparse_matrices_are_those_they_stand_for(form, fitted):
    model = DeepClustering("kmeans", n_clusters=3, random_state=0).fit(form(WIDE))
    assert model.labels_.tolist() == fitted.labels_.tolist() == model.predict(form(WIDE)).tolist()
    with pytest.raises(ValueError, match=r"sparse X of 6 columns, expected 16 or more; write X.toarray\(\)"):
        model.fit(form(X))


def test_of_large_sparse_matrices_the_leading_components_are_clustered(monkeypatch, tmp_path):
    monkeypatch.setattr(samples, "MOST_DENSE", 100)
    monkeypatch.setattr(samples, "N_COMPONENTS", 4)
    x = sparse.csr_matrix(WIDE)
    with pytest.warns(UserWarning, match="more than 1 GiB as a dense array; its 4 leading components are clustered"):
        model = DeepClustering("kmeans", n_clusters=3, random_state=0).fit(x)
    assert adjusted_rand_score(Y, model.labels_) == 1
    model.save(tmp_path / "model")
    again = DeepClustering.load(tmp_path / "model")
    assert again.n_features_in_ == 24
    assert again.predict(x).tolist() == again.predict(WIDE).tolist() == model.labels_.tolist()


def test_a_report_is_one_page_and_nothing_else(tmp_path, monkeypatch, fitted):
    monkeypatch.chdir(tmp_path)
    assert fitted.report(tmp_path) == tmp_path / "report.html"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    page = (tmp_path / "report.html").read_text()
    assert "120 samples fitted" in page
    assert "deepcluster method=" not in page  # what to do next is said in Python's words
    with pytest.raises(ValueError, match="cannot be written"):
        fitted.report(tmp_path / "report.html" / "x.html")


def test_a_plot_has_a_point_for_each_sample_in_the_color_of_its_cluster(fitted):
    axes = fitted.plot()
    points = axes.collections[0]
    assert len(points.get_offsets()) == len(X)
    assert len(np.unique(points.get_facecolors(), axis=0)) == 3
    assert fitted.plot(X[:7], ax=axes) is axes


def test_a_loaded_estimator_says_that_it_has_no_samples(tmp_path, fitted):
    fitted.save(tmp_path / "model")
    loaded = DeepClustering.load(tmp_path / "model")
    with pytest.raises(ValueError, match="call fit again"):
        loaded.report(tmp_path)
    with pytest.raises(ValueError, match=r"write plot\(X\)"):
        loaded.plot()
    assert len(loaded.plot(X).collections) == 1


def test_a_notebook_shows_sizes_beside_the_diagram_and_progress_as_lines(monkeypatch, capsys, fitted):
    assert "put 120 samples into 3 clusters" not in DeepClustering()._repr_html_()
    html = fitted._repr_mimebundle_()["text/html"]
    assert "sk-" in html
    assert "kmeans put 120 samples into 3 clusters" in html
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    DeepClustering("dec", n_clusters=3, verbose=1, overrides=SMALL).fit(X)
    assert "pretrain  epoch" in capsys.readouterr().out
