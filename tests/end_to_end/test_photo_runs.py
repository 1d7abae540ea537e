"""Runs on a folder of pictures, as a user types them: every method, any names, and new pictures afterwards."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from helpers.object_weights import install
from helpers.organizing import run_organize
from helpers.pictures import library, page, scene

from deepcluster_pl import load_model
from deepcluster_pl.data.images import measure_pictures
from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.serialization import load_features
from deepcluster_pl.training.callbacks.cluster_metrics import ClusterMetrics

SMALL = (
    "n_clusters=2", "trainer.accelerator=cpu", "fit.batch_size=8", "fit.max_steps=12", "data.features.side=48",
    "data.features.blocks=[palette,layout,drawing]", "data.reading_processes=0", "checkpoint_interval=0.000001",
    "data.faces=false",
)  # fmt: skip
SCAN = (
    "experiment=photos", "method=photos/scan", "data.copies=2", "method.n_neighbors=3", "net.hidden=[16]",
    "callbacks.target_refresh.update_interval=5",
)  # fmt: skip
AUTOENCODER = ("net.dims=[16,4]", "pretrain.max_epochs=2", "pretrain.batch_size=8")


@pytest.fixture
def photos(tmp_path):
    library(tmp_path / "photos", 20)
    return tmp_path / "photos"


def clusters(run):
    return {row["id"]: int(row["cluster"]) for row in run.assignments}


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


@pytest.mark.parametrize(
    "method",
    [
        ("method=kmeans",),
        ("method=gmm",),
        ("method=photos/kmeans", "net.latent_dim=5"),
        ("method=photos/gmm", "net.latent_dim=5"),
        ("method=ae_kmeans", *AUTOENCODER),
        ("method=dec", *AUTOENCODER),
        ("method=idec", *AUTOENCODER),
        ("method=dec", "net=pca", "net.hidden=[16]", "pretrain=none"),
        ("method=scan", "method.n_neighbors=3", *AUTOENCODER),
        pytest.param(("method=n2d", "start.n_neighbors=5", *AUTOENCODER), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_every_method_groups_the_pictures_of_a_folder(cli_run, photos, method):
    if method[0] == "method=n2d":
        pytest.importorskip("umap")
    run = cli_run(*SMALL, "data=images", f"data.root={photos}", "data.labels=folder", *method)
    assert run.code == 0, run.err
    assert sorted(clusters(run)) == files_of(photos)
    assert run.scores["fit"]["n"] == 20
    assert run.scores["fit"]["acc"] > 0.6  # scenes and pages hardly resemble each other


def test_the_default_recipe_tells_scenes_from_pages_and_repeats(cli_run, photos):
    first = cli_run(*SMALL, *SCAN, f"data.root={photos}", "data.labels=folder", name="first")
    assert first.code == 0, first.err
    assert first.scores["fit"]["acc"] == 1
    again = cli_run(*SMALL, *SCAN, f"data.root={photos}", name="again")
    assert again.labels == first.labels  # labels were not there this time
    assert again.scores["fit"]["acc"] is None


def test_neither_names_nor_folders_have_a_part_in_the_partition(cli_run, photos, tmp_path):
    first = cli_run(*SMALL, *SCAN, f"data.root={photos}", name="first")
    other = tmp_path / "other"
    moved = {}
    for i, name in enumerate(np.random.default_rng(0).permutation(files_of(photos)).tolist()):
        moved[name] = f"{i % 4}/{50 - i}.png"
        (other / f"{i % 4}").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photos / name, other / moved[name])
    second = cli_run(*SMALL, *SCAN, f"data.root={other}", name="second")
    before, after = clusters(first), clusters(second)
    assert {moved[name]: cluster for name, cluster in before.items()} == after
    assert len(set(after.values())) == 2


def test_a_model_groups_new_pictures_as_its_run_did(cli_run, photos):
    run = cli_run(*SMALL, *SCAN, f"data.root={photos}")
    model, features = load_model(run.folder / "model"), load_features(run.folder / "model")
    names = files_of(photos)
    x, skipped = measure_pictures(features, photos, names)
    found = model.assign(model.net.encode(model.net.prepare(torch.from_numpy(x)))).argmax(dim=1).tolist()
    assert skipped == {}
    assert dict(zip(names, found, strict=True)) == clusters(run)
    for i in (101, 102):
        scene(i).save(photos / f"scene{i}.png")
        page(i).save(photos / f"page{i}.png")
    (photos / "broken.png").write_text("no picture")
    new = ["scene101.png", "scene102.png", "page101.png", "page102.png", "broken.png"]
    x, skipped = measure_pictures(features, photos, new)
    found = model.assign(model.net.encode(model.net.prepare(torch.from_numpy(x)))).argmax(dim=1).tolist()
    kinds = [clusters(run)[next(name for name in names if name.startswith(kind))] for kind in ("scenes", "pages")]
    assert found == [kinds[0], kinds[0], kinds[1], kinds[1]]
    assert list(skipped) == ["broken.png"]


def test_a_model_of_other_samples_has_no_features(cli_run):
    run = cli_run("data=blobs", "data.n_samples=60", "method=kmeans", "n_clusters=3", "trainer.accelerator=cpu")
    with pytest.raises(UserError, match="not made of picture files"):
        load_features(run.folder / "model")


def test_a_resumed_fit_draws_the_copies_that_the_whole_one_drew(cli_run, photos, monkeypatch):
    whole = cli_run(*SMALL, *SCAN, f"data.root={photos}", name="whole")
    without = cli_run(*SMALL, *SCAN, f"data.root={photos}", "data.copies=0", name="without")
    assert without.labels != whole.labels
    calls, original = [], ClusterMetrics.on_refresh

    def cut_at_the_second(*args):
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("power cut")
        original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(ClusterMetrics, "on_refresh", cut_at_the_second)
        cut = cli_run(*SMALL, *SCAN, f"data.root={photos}", name="cut")
    assert cut.code == 1
    resumed = cli_run(f"resume={cut.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels


def test_pixels_go_through_the_convolutional_autoencoder(cli_run, photos):
    run = cli_run(
        *SMALL[:4], *SMALL[6:], "data=images_pixels", f"data.root={photos}", "data.features.size=16", "method=dec",
        "net=conv_autoencoder", "net.channels=[4,8]", "net.kernel_sizes=[3,3]", "net.latent_dim=4",
        "pretrain.max_epochs=2", "pretrain.batch_size=8",
    )  # fmt: skip
    assert run.code == 0, run.err
    assert sorted(clusters(run)) == files_of(photos)
    assert (run.folder / "figures" / "members.png").is_file()


def test_what_was_left_out_and_what_pictures_say_lies_in_the_runs_folder(cli_run, photos):
    (photos / "half.jpg").write_bytes((photos / "scenes/0.png").read_bytes()[:300])
    run = cli_run(*SMALL, "data=images", f"data.root={photos}", "method=kmeans")
    assert run.code == 0, run.err
    assert "20 read at" in run.out
    assert "1 skipped" in run.out
    with (run.folder / "skipped.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["half.jpg"]
    with (run.folder / "pictures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["id"] for row in rows) == files_of(photos)
    assert list(rows[0]) == ["id", "width", "height", "bytes", "taken", "latitude", "longitude", "town"]
    strict = cli_run(*SMALL, "data=images", f"data.root={photos}", "method=kmeans", "data.strict=true", name="strict")
    assert strict.code == 1
    assert strict.err.count("\n") == 1
    assert "data.strict=false" in strict.err


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["data=images"], "type data.root=<the folder of the pictures>"),
        (["data=images", "data.root=nowhere"], "data.root=nowhere: no such folder"),
        (["data=images_pretrained", "data.root=."], "type data.features.weights=<file of its state dict>"),
        (["data=images", "data.root=.", "data.features.blocks=[palete]"], "expected each at most once of palette"),
        (["data=images", "data.root=.", "data.features.side=3"], "data.features.side=3 is too small"),
        (["data=images_pixels", "data.root=.", "net=pca"], "type net=conv_autoencoder"),
    ],
)
def test_mistakes_are_one_line(cli_run, tmp_path, typed, told):
    scene(0).save(tmp_path / "a.png")
    scene(1).save(tmp_path / "b.png")
    small = ("n_clusters=2", "trainer.accelerator=cpu", "data.reading_processes=0")
    run = cli_run(*small, *typed, "method=photos/kmeans" if "net=pca" in typed else "method=kmeans")
    assert run.code == 1
    assert told in run.err
    assert run.err.count("\n") == 1


def test_the_predict_command_groups_pictures_as_the_run_did(cli_run, deepcluster, photos):
    run = cli_run(*SMALL, *SCAN, f"data.root={photos}")
    assert run.code == 0, run.err
    predicted = deepcluster("predict", f"run={run.folder}", f"data.root={photos}", "accelerator=cpu")
    assert predicted.code == 0, predicted.err
    with Path(predicted.out.splitlines()[-1]).open(newline="") as file:
        assert {row["id"]: int(row["cluster"]) for row in csv.DictReader(file)} == clusters(run)


def test_what_predict_cannot_read_is_said_and_listed(cli_run, deepcluster, photos):
    run = cli_run(*SMALL, "data=images", f"data.root={photos}", "method=kmeans")
    (photos / "half.jpg").write_bytes((photos / "scenes/0.png").read_bytes()[:300])
    out = deepcluster("predict", f"run={run.folder}", f"data.root={photos}", "to=new.csv").out
    assert "20 samples in 2 of 2 clusters\n1 left out, such as 'half.jpg': " in out
    with open("new.skipped.csv", newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["half.jpg"]


def test_a_run_on_a_backbone_predicts_new_pictures(cli_run, deepcluster, photos, tmp_path):
    torch.manual_seed(0)
    torch.save({"state_dict": torchvision.models.get_model("resnet18").state_dict()}, tmp_path / "net.pth")
    backbone = ("data=images_pretrained", "data.features.backbone=resnet18", "data.features.weights=net.pth",
                "data.features.size=32")  # fmt: skip
    small = [text for text in SMALL if not text.startswith("data.features")]
    run = cli_run(*small, *backbone, f"data.root={photos}", "method=photos/kmeans", "net.latent_dim=5")
    assert run.code == 0, run.err
    for more in ((f"data.root={photos}",), (*backbone, f"data.root={photos}")):
        predicted = deepcluster("predict", f"run={run.folder}", *more, "accelerator=cpu")
        assert predicted.code == 0, predicted.err
        with Path(predicted.out.splitlines()[-1]).open(newline="") as file:
            assert {row["id"]: int(row["cluster"]) for row in csv.DictReader(file)} == clusters(run)


def test_groups_of_photos_name_themselves_and_their_folders(cli_run, deepcluster, photos, tmp_path, monkeypatch):
    pytest.importorskip("timm")
    install(monkeypatch, tmp_path)
    run = cli_run(
        "experiment=photos", f"data.root={photos}", "n_clusters=2", "trainer.accelerator=cpu",
        "data.reading_processes=0", "method=photos/graph", "start.n_neighbors=4", "net.latent_dim=8",
        "data.features.blocks=[objects,palette]", "data.faces=false",
    )  # fmt: skip
    assert run.code == 0, run.err
    assert "data=photos data.copies=0, because the extra photos is installed" in run.out
    assert "no picture leaves this machine" in run.out
    names = {int(row["cluster"]): row["name"] for row in run.assignments}
    assert len(set(names.values())) == 2
    assert all(names.values())
    # What each picture is has columns of its own
    assert all(0 <= float(row[kind]) <= 1 for row in run.assignments for kind in ("made", "writing"))
    assert {"objects"} <= set(run.assignments[0])
    # The model knows how its pictures were described, and predict says of them what the run said
    predicted = deepcluster("predict", f"run={run.folder}", f"data.root={photos}", "accelerator=cpu")
    assert predicted.code == 0, predicted.err
    with Path(predicted.out.splitlines()[-1]).open(newline="") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == ["id", "cluster", "confidence", "name", "made", "writing", "objects"]
    assert found == [{column: row[column] for column in found[0]} for row in run.assignments]
    assert run_organize(f"run={run.folder}", f"to={tmp_path / 'sorted'}", "apply=true") == 0
    folders = {path.name for path in (tmp_path / "sorted").iterdir() if path.is_dir()}
    assert folders == {name.replace(":", "_") for name in names.values()}


def test_five_pictures_end_in_two_groups_and_a_warning(cli_run, tmp_path):
    library(tmp_path / "few", 5)
    settings = [text for text in SMALL if not text.startswith(("n_clusters", "fit."))]
    run = cli_run(*settings, "experiment=photos", "data=images", f"data.root={tmp_path / 'few'}", "data.copies=0")
    assert run.code == 0, run.err
    (warning,) = run.scores["warnings"]
    assert "at least 20 samples, found 5: 2 clusters are taken; type n_clusters=<number> for more" in warning
    assert f"warning: {warning}" in run.out
    assert "Found 2 groups of" in run.out
    assert set(clusters(run).values()) == {0, 1}
    assert (run.folder / "gallery.html").is_file()


def test_a_resume_that_is_refused_leaves_the_records_of_the_run(cli_run, photos):
    run = cli_run(*SMALL, *SCAN, f"data.root={photos}")
    assert run.code == 0, run.err
    before = (run.folder / "pictures.csv").read_bytes()
    (photos / files_of(photos)[0]).unlink()
    refused = cli_run(f"resume={run.folder}")
    assert refused.code == 1
    assert "data" in refused.err
    assert (run.folder / "pictures.csv").read_bytes() == before
