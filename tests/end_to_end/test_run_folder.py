"""Files that one run leaves behind, and the meaning of their numbers."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from helpers.command_line import TINY, TINY_DEC, TINY_RAW
from PIL import Image
from sklearn.metrics import normalized_mutual_info_score

from deepcluster_pl import load_model
from deepcluster_pl.methods.initialization.initial_clustering import Initialization

BLOCK = {"n", "acc", "nmi", "nmi_geometric", "ari", "purity", "silhouette", "davies_bouldin", "bic", "cluster_sizes",
         "size_entropy", "n_empty", "collapsed"}  # fmt: skip
TOP = {"schema", "method", "data", "protocol", "seed", "n_clusters", "n_clusters_found", "kept", "guard",
       "stopped", "steps", "seconds", "machine", "versions", "commit", "published", "command",
       "fit", "holdout", "start", "teacher", "baselines", "candidates", "choice", "criteria", "verdict",
       "outliers", "warnings"}  # fmt: skip


@pytest.mark.draws
def test_a_dec_run_leaves_everything_the_contract_names(cli_run):
    run = cli_run(*TINY_DEC, "data.holdout=0.25")
    assert run.code == 0, run.err
    files = {path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*") if path.is_file()}
    assert {
        "config/config.yaml", "config/overrides.yaml", "pretrain/metrics.csv", "fit/metrics.csv", "start.safetensors",
        "checkpoints/pretrained.ckpt", "checkpoints/final.ckpt", "model/model.safetensors", "model/model.json",
        "scores.json", "assignments.csv", "levels.json", "figures/map.png", "figures/confusion.png",
        "figures/curves.png",
    } <= files  # fmt: skip
    assert any(name.startswith("fit/events.out.tfevents") for name in files)
    assert set(run.scores) == TOP
    assert set(run.scores["fit"]) == set(run.scores["holdout"]) == set(run.scores["start"]["fit"]) == BLOCK
    assert (run.scores["fit"]["n"], run.scores["holdout"]["n"]) == (90, 30)
    assert (run.scores["stopped"], run.scores["steps"]) == ("max_steps", 20)
    assert set(run.scores["baselines"]) == {"protocol", "kmeans_raw", "kmeans_code", "pca_gmm", "graph"}
    assert run.scores["baselines"]["protocol"] == {"n_init": 20, "rows": 90, "simple_rows": 90}


def test_scores_can_be_recomputed_from_assignments(cli_run):
    run = cli_run(*TINY_DEC, "data.holdout=0.25")
    rows = [row for row in run.assignments if row["part"] == "holdout"]
    nmi = normalized_mutual_info_score([row["label"] for row in rows], [row["cluster"] for row in rows])
    assert run.scores["holdout"]["nmi"] == pytest.approx(nmi)
    assert sorted(int(row["id"]) for row in run.assignments) == list(range(120))
    assert all(1 / 3 - 1e-4 <= float(row["confidence"]) <= 1 for row in rows)


def test_the_saved_model_says_what_the_run_said(cli_run):
    run = cli_run(*TINY_DEC)
    model = load_model(run.folder / "model")
    rows = run.assignments
    from sklearn.datasets import make_blobs

    x, _ = make_blobs(120, 6, centers=3, cluster_std=1.0, random_state=0)
    with torch.no_grad():
        q = model.assign(model.net.encode(model.net.prepare(torch.as_tensor(x, dtype=torch.float32))))
    assert q.argmax(1).tolist() == [int(row["cluster"]) for row in rows]


@pytest.mark.parametrize("method", ["kmeans", "ae_kmeans", "gmm", "ae_gmm"])
def test_methods_without_a_fit_run_and_their_model_loads(cli_run, method):
    run = cli_run(*(TINY if method.startswith("ae_") else TINY_RAW), f"method={method}")
    assert run.code == 0, run.err
    assert (run.scores["stopped"], run.scores["steps"], run.scores["seconds"]["fit"]) == ("none", 0, None)
    assert run.scores["fit"] == run.scores["start"]["fit"]
    assert run.scores["fit"]["nmi"] > (0.5 if method.startswith("ae_") else 0.95)  # three groups far apart
    model = load_model(run.folder / "model")
    assert model.assign(torch.zeros(2, model.net.latent_dim)).sum(dim=1).tolist() == pytest.approx([1, 1])


def test_a_mixture_keeps_the_labels_scikit_learn_gave(cli_run):
    run = cli_run(*TINY, "method=ae_gmm", "data.spread=6.0")
    start = Initialization.load(run.folder / "start.safetensors")
    assert [int(row["cluster"]) for row in run.assignments] == start.labels.tolist()


def test_a_baseline_that_is_the_method_is_null(cli_run):
    raw = cli_run(*TINY_RAW, "method=kmeans", name="a").scores["baselines"]
    coded = cli_run(*TINY, "method=ae_kmeans", name="b").scores["baselines"]
    assert (raw["kmeans_raw"]["fit"], raw["kmeans_code"]["fit"]) == (None, None)
    assert coded["kmeans_raw"]["fit"]["n"] == 120
    assert coded["kmeans_code"]["fit"] is None


def test_data_without_labels_gives_the_same_files_without_label_scores(cli_run, tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.normal(size=(60, 5)) + np.repeat(np.eye(5)[:3] * 20, 20, axis=0))
    run = cli_run(*TINY[4:], "data=array", f"data.path={tmp_path}/x.npy", "method=dec")
    assert run.code == 0, run.err
    assert run.scores["fit"]["acc"] is None
    assert -1 <= run.scores["fit"]["silhouette"] <= 1
    assert set(run.assignments[0]) == {"id", "part", "cluster", "confidence", "x", "y"}
    assert "silhouette" in run.out


def test_labels_change_no_assignment(cli_run, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 5)).astype(np.float32)
    np.savez(tmp_path / "true.npz", x=x, y=np.arange(90) % 3)
    np.savez(tmp_path / "other.npz", x=x, y=rng.permutation(90) % 7 - 1)
    np.savez(tmp_path / "none.npz", x=x)
    clusters = []
    for kind in ("true", "other", "none"):
        run = cli_run(*TINY_DEC[4:], "data=array", f"data.path={tmp_path}/{kind}.npz", name=kind)
        assert run.code == 0, run.err
        clusters.append(run.labels)
    assert clusters[0] == clusters[1] == clusters[2]


def test_the_same_seed_gives_the_same_labels_and_another_seed_other_weights(cli_run):
    runs = [cli_run(*TINY_DEC, f"seed={seed}", "data.random_state=0", name=str(i)) for i, seed in enumerate((3, 3, 4))]
    confidences = [[row["confidence"] for row in run.assignments] for run in runs]
    assert confidences[0] == confidences[1]
    assert confidences[0] != confidences[2]


def test_the_table_shows_the_baselines_beside_the_method(cli_run):
    out = cli_run(*TINY_DEC, "data.holdout=0.25").out
    for text in (
        "k-means on input",
        "mixture on components",
        "graph of neighbors",
        "k-means on embedding",
        "initialization",
        "dec",
        "NMI",
        "held out",
    ):
        assert text in out


def test_metrics_csv_holds_curves_of_both_stages(cli_run):
    run = cli_run(*TINY_DEC, "data.holdout=0.25", "trainer.log_every_n_steps=1")
    names = {
        stage: {row["metric"] for row in csv.DictReader((run.folder / stage / "metrics.csv").open(newline=""))}
        for stage in ("pretrain", "fit")
    }
    assert {"pretrain/mse", "pretrain/mse_holdout", "probe/nmi", "probe/silhouette_code"} <= names["pretrain"]
    assert {"fit/kl", "clusters/nmi", "clusters/changed", "clusters/size_smallest"} <= names["fit"]


def test_tensorboard_holds_scores_and_sizes_at_each_refresh(cli_run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = cli_run(*TINY_DEC)
    events = EventAccumulator(str(run.folder / "fit")).Reload()
    assert [event.step for event in events.Scalars("clusters/nmi")] == [0, 5, 10, 15, 20]
    assert [event.step for event in events.Scalars("clusters/changed")] == [5, 10, 15, 20]
    assert "clusters/sizes" in events.Tags()["histograms"]


@pytest.mark.draws
def test_the_tutorials_table_without_labels_gives_the_same_assignments_file(cli_run, tmp_path):
    rng = np.random.default_rng(0)
    names = [f"{number}.png" for number in range(49_000, 49_040)]
    for i, name in enumerate(names):
        gray = Image.fromarray(rng.integers(0, 60, (8, 8), dtype=np.uint8) + np.uint8(60 * (i % 3)))
        (gray.convert("RGBA") if i % 2 else gray).save(tmp_path / name)
    (tmp_path / "test.csv").write_text("filename\n" + "\n".join(names) + "\n")
    run = cli_run(*TINY_DEC[4:], "data=datahack", "data.csv=test.csv")
    assert run.code == 0, run.err
    assert [row["id"] for row in run.assignments] == names
    assert set(run.assignments[0]) == {"id", "part", "cluster", "confidence", "x", "y"}
    drawn = {path.name for path in (run.folder / "figures").iterdir()}
    assert drawn == {"map.png", "members.png", "curves.png", "reconstructions.png"}  # no labels, no confusion


def test_loader_processes_change_nothing(cli_run):
    alone = cli_run(*TINY_DEC, name="alone")
    helped = cli_run(*TINY_DEC, "data.num_workers=1", name="helped")
    assert helped.code == 0, helped.err
    assert helped.labels == alone.labels


def test_a_fit_that_diverges_says_so_and_leaves_no_scores(cli_run):
    run = cli_run(*TINY_DEC, "fit.optimizer.lr=1e30")
    assert run.code == 1
    assert "type a smaller fit.optimizer.lr" in run.err
    assert not (run.folder / "scores.json").exists()
