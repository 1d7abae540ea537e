"""The scikit-learn face: what a person does with an estimator."""

from __future__ import annotations

import logging
import os
import pickle
import random
import re
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from helpers.processes import run_command
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deepcluster_pl import DeepClustering, load_model
from deepcluster_pl.methods.predictor import order_of
from deepcluster_pl.utils.numerics import flushes_denormal

FEW = ("pretrain.max_epochs=3", "fit.max_steps=20", "net.dims=[32,4]")
X, Y = make_blobs(120, 6, centers=3, random_state=0)


def few(method: str = "dec", **parameters) -> DeepClustering:
    overrides = () if method in ("kmeans", "gmm", "pca_gmm", "graph", "communities") else FEW
    return DeepClustering(method, **{"n_clusters": 3, "random_state": 0, "overrides": overrides, **parameters})


@pytest.mark.parametrize(
    "method",
    [
        "kmeans",
        "gmm",
        "pca_gmm",
        "graph",
        "communities",
        "ae_kmeans",
        "ae_gmm",
        "dec",
        "idec",
        "dcn",
        "dkm",
        "vade",
        "scan",
    ],
)
def test_any_recipe_fits_predicts_and_comes_back_from_disk(method, tmp_path):
    extra = ("method.n_neighbors=5",) if method == "scan" else ()
    estimator = few(method)
    estimator.set_params(overrides=(*estimator.overrides, *extra)).fit(X)
    np.testing.assert_array_equal(estimator.labels_, estimator.predict(X))
    shares = estimator.predict_proba(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert estimator.transform(X).shape == (120, estimator.model_.net.latent_dim)
    assert hasattr(estimator, "cluster_centers_") == (method != "scan")
    estimator.save(tmp_path / "kept")
    again = DeepClustering.load(tmp_path / "kept")
    np.testing.assert_array_equal(again.predict_proba(X), shares)
    np.testing.assert_array_equal(again.labels_, estimator.labels_)
    assert again.get_params() == {**estimator.get_params(), "overrides": list(estimator.overrides)}


def test_a_sample_is_told_the_same_alone_and_in_company():
    estimator = few().fit(X)
    alone = np.concatenate([estimator.predict_proba(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(alone, estimator.predict_proba(X)[:20], rtol=0, atol=1e-12)


def test_the_same_seed_gives_the_same_labels_and_another_another_net():
    first, second, other = few().fit(X), few().fit(X), few(random_state=1).fit(X)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    assert not np.array_equal(first.transform(X), other.transform(X))


def test_labels_are_those_of_the_command_line(tmp_path):
    np.save(tmp_path / "x.npy", X)
    words = ["data=array", "data.path=x.npy", "method=dec", "n_clusters=3", *FEW, "hydra.run.dir=run"]
    done = run_command([*words, "trainer.accelerator=cpu", "baselines=none"], tmp_path)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "run" / "assignments.csv")
    np.testing.assert_array_equal(few(accelerator="cpu").fit(X).labels_, table["cluster"])
    loaded = DeepClustering.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.predict(X), table["cluster"])
    np.testing.assert_allclose(
        loaded.predict_proba(X).max(axis=1), table["confidence"], atol=1e-4
    )  # written with four digits
    assert (loaded.method, loaded.n_clusters) == ("dec", 3)


def test_it_groups_what_belongs_together():
    estimator = few("ae_kmeans", overrides=("pretrain.max_epochs=20",))
    assert adjusted_rand_score(Y, estimator.fit_predict(X)) > 0.95


def test_lists_frames_and_tensors_are_one_to_it():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    fitted = few().fit(frame)
    assert fitted.feature_names_in_.tolist() == list("abcdef")
    shares = fitted.predict_proba(frame)
    for other in (X.tolist(), torch.from_numpy(X)):
        np.testing.assert_array_equal(few().fit(other).predict_proba(other), shares)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame[list("fedcba")])


def test_images_of_bytes_are_clustered_as_they_are():
    images = (load_digits().images * 15).astype(np.uint8)
    overrides = ("data.scale=none", "pretrain.max_epochs=2", "fit.max_steps=20", "net=conv_autoencoder")
    estimator = DeepClustering("dec", n_clusters=10, random_state=0, overrides=overrides).fit(images)
    assert estimator.predict(images[:7]).tolist() == estimator.labels_[:7].tolist()
    assert -1 <= estimator.score(images) <= 1
    with pytest.raises(ValueError, match=r"shape \(8, 7\), expected \(8, 8\)"):
        estimator.predict(images[:, :, :7])


def test_score_is_the_silhouette_in_standardized_input_space():
    estimator = few().fit(X)
    expected = silhouette_score(StandardScaler().fit_transform(X), estimator.labels_)
    assert estimator.score(X) == pytest.approx(expected, abs=1e-5)
    assert few(n_clusters=1).fit(X).score(X) == -1


def test_pipeline_grid_search_clone_and_joblib(tmp_path):
    pipe = make_pipeline(StandardScaler(), few("gmm")).fit(X)
    assert adjusted_rand_score(Y, pipe.predict(X)) == 1
    search = GridSearchCV(few(), {"n_clusters": [2, 3], "method": ["ae_kmeans", "dec"]}, cv=2, n_jobs=2).fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 4
    assert np.isfinite(scores).all()
    fitted = few().fit(X)
    fresh = clone(fitted)
    with pytest.raises(NotFittedError):
        fresh.predict(X)
    joblib.dump(fitted, tmp_path / "kept.joblib")
    np.testing.assert_array_equal(joblib.load(tmp_path / "kept.joblib").predict(X), fitted.labels_)


def test_columns_of_the_code_have_names():
    code = few().set_output(transform="pandas").fit_transform(X)
    assert code.columns.tolist() == [f"deepclustering{i}" for i in range(4)]


def settings_of_this_process():
    loggers = [logging.getLogger(name).level for name in ("pytorch_lightning", "lightning_fabric")]
    tf32, hook = torch.backends.cudnn.allow_tf32, threading.excepthook
    return loggers, tf32, hook, flushes_denormal(), list(warnings.filters)


@pytest.mark.parametrize("flushes", [False, True])
def test_settings_of_the_process_are_the_callers_own_again(flushes):
    torch.set_flush_denormal(flushes)
    torch.backends.cudnn.allow_tf32 = True
    before = settings_of_this_process()
    few().fit(X)
    assert settings_of_this_process() == before
    torch.set_flush_denormal(False)


def test_a_fitted_estimator_is_as_small_as_its_model_and_forgets_the_trainer():
    estimator = few().fit(X)
    assert estimator.model_._trainer is None
    estimator.predict(X)
    again = pickle.loads(pickle.dumps(estimator))
    assert "_predictor" not in vars(again)
    np.testing.assert_array_equal(again.predict_proba(X), estimator.predict_proba(X))


@pytest.mark.parametrize("method", ["da/dec", "article/ae_kmeans", "dec"])
def test_a_run_is_loaded_with_a_method_that_is_an_option(cli_run, method):
    few_steps = ("pretrain.max_epochs=1", "pretrain.batch_size=512", "fit.max_steps=2", "baselines=none")
    run = cli_run(f"method={method}", "data=digits", "data.subset.size=60", "n_clusters=3", "trainer.accelerator=cpu",
                  *(few_steps if "dec" in method else few_steps[:2]))  # fmt: skip
    assert run.code == 0, run.err
    loaded = DeepClustering.load(run.folder)
    assert loaded.method == method
    images = load_digits().images[:60]
    fresh = clone(loaded).set_params(overrides=few_steps[:2] + (few_steps[2:3] if "dec" in method else ()))
    assert fresh.fit(images).labels_.shape == loaded.predict(images).shape == (60,)


def test_nothing_is_printed_written_or_left_changed(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    np.random.seed(5), random.seed(5), torch.manual_seed(5)  # noqa: NPY002 - the global state is what is looked at
    expected = (np.random.rand(), random.random(), torch.rand(()).item())  # noqa: NPY002
    np.random.seed(5), random.seed(5), torch.manual_seed(5)  # noqa: NPY002
    before, settings = dict(os.environ), settings_of_this_process()
    few().fit(X)
    assert settings_of_this_process() == settings
    assert (np.random.rand(), random.random(), torch.rand(()).item()) == expected  # noqa: NPY002
    assert dict(os.environ) == before
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    few(verbose=1).fit(X)
    assert "pretrain" in capfd.readouterr().out


def test_history_holds_the_curves():
    history = few().fit(X).history_
    assert {"pretrain/mse", "fit/kl", "clusters/silhouette_code"} <= set(history)
    assert history["pretrain/mse"].shape[1] == 2


def test_coarser_and_finer_groups_are_looked_up_and_saved(tmp_path):
    x, y = make_blobs(600, 4, centers=6, random_state=5)
    estimator = DeepClustering("kmeans", n_clusters=3, random_state=0).fit(x)
    kinds = [level.kind for level in estimator.levels_.offered]
    assert kinds == ["coarse", "chosen", "fine"]
    assert adjusted_rand_score(y, estimator.labels_at(6)) > adjusted_rand_score(y, estimator.labels_)
    np.testing.assert_array_equal(estimator.labels_at(3), estimator.labels_)
    joined = estimator.labels_at(2)
    assert len({(a, b) for a, b in zip(estimator.labels_, joined, strict=True)}) == 3  # each is inside one of the two
    with pytest.raises(ValueError, match="found n=99"):
        estimator.labels_at(99)
    estimator.save(tmp_path / "saved")
    np.testing.assert_array_equal(DeepClustering.load(tmp_path / "saved").labels_at(2), joined)


def test_empty_clusters_come_last_and_are_said():
    copies = np.repeat([[0.0, 0.0], [9.0, 9.0]], 10, axis=0)
    estimator = DeepClustering("kmeans", n_clusters=4, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"clusters \(2\) found smaller than n_clusters \(4\)"):
        estimator.fit(copies)
    assert sorted(set(estimator.labels_)) == [0, 1]
    assert estimator.cluster_centers_.shape == (4, 2)
    assert order_of(np.array([3, 1, 3]), 4).tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize(
    ("change", "data", "message"),
    [
        ({"method": "dekk"}, X, "method=dekk: no such option"),
        ({"n_clusters": 0}, X, "n_clusters: found 0, expected"),
        ({"n_clusters": 121}, X, "n_samples=120 should be >= n_clusters=121"),
        ({"overrides": ("pretrain.epochs=3",)}, X, "pretrain.epochs: no such key"),
        ({"overrides": ("n_clusters=4",)}, X, "write n_clusters="),
        ({"overrides": ("seed=4",)}, X, "write random_state="),
        ({"overrides": ("data=mnist",)}, X, "leave it out"),
        ({"overrides": ("hydra.run.dir=x",)}, X, "leave it out"),
        ({"overrides": ("+net._target_=os.system",)}, X, "_target_"),
        ({"accelerator": "tpu"}, X, "trainer: Requirement"),
        ({}, np.where(X.mean() < X, np.nan, X), "NaN"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_a_value_error_with_its_reason(change, data, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        few(**change).fit(data)


def test_a_folder_that_holds_something_is_not_written_into(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="name a new folder"):
        few("gmm").fit(X).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_damaged_folder_is_told_of(tmp_path):
    estimator = few("gmm").fit(X)
    estimator.save(tmp_path / "kept")
    assert load_model(tmp_path / "kept").n_clusters == 3
    (tmp_path / "kept" / "estimator.json").write_text("{")
    with pytest.raises(ValueError, match="estimator\\.json cannot be read"):
        DeepClustering.load(tmp_path / "kept")
    with pytest.raises(ValueError, match=r"model\.json cannot be read: No such file"):
        DeepClustering.load(tmp_path / "absent")


def test_estimators_in_threads_find_what_each_finds_alone():
    alone = [few(random_state=seed).fit(X) for seed in range(3)]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda seed: few(random_state=seed % 3).fit(X), range(6)))
    for seed, estimator in enumerate(together):
        np.testing.assert_array_equal(estimator.predict_proba(X), alone[seed % 3].predict_proba(X))
