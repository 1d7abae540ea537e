"""Scores come before pictures: a figure or a page that fails is a warning, and no text from data makes one fail."""

from __future__ import annotations

import csv
import errno
import re

import numpy as np
import pytest
from helpers.command_line import TINY_DEC
from helpers.pictures import library

import deepcluster_pl.reporting.figures.save as figures
import deepcluster_pl.runs.pipeline as pipeline
import deepcluster_pl.runs.results as results
from deepcluster_pl.errors import UserError

KMEANS = ("method=kmeans", "n_clusters=3", "trainer.accelerator=cpu")
BLOBS = ("data=blobs", "data.n_samples=60", "data.n_features=3", *KMEANS)
DIGITS = ("data=digits", "data.subset.size=60", "method=idec", "n_clusters=3", "net.dims=[8,3]",
          "pretrain.max_epochs=1", "fit.max_steps=2", "trainer.accelerator=cpu")  # fmt: skip
PHOTOS = (
    *KMEANS,
    "data=images",
    "data.root=photos",
    "data.features.blocks=[palette]",
    "data.reading_processes=0",
    "data.faces=false",
)
HOSTILE = [
    r"$\frac{", "$x^$", "<script>alert(1)</script>", "\u202eabc", "\u0645\u0631\u062d\u0628\u0627", "a" * 100_000,
    "tab\tnew\nline\x07\x00end", "\ud800half", "\udcff", "\U0001f600", "[/bold]", "{{ title }}", "\ufffe", "%s",
]  # fmt: skip


def failing(error):
    def fail(*args, **options):
        raise error

    return fail


@pytest.mark.parametrize(
    ("settings", "module", "name", "product"),
    [
        (BLOBS, figures, "draw_embedding_map", "figures/map.png"),
        (BLOBS, figures, "draw_confusion", "figures/confusion.png"),
        (TINY_DEC, figures, "draw_curves", "figures/curves.png"),
        (DIGITS, figures, "draw_central_members", "figures/members.png"),
        (DIGITS, figures, "draw_centers", "figures/centers.png"),
        (DIGITS, pipeline, "save_reconstructions", "figures/reconstructions.png"),
        (TINY_DEC, results, "save_tensorboard", "result/"),
        (PHOTOS, results, "save_gallery", "gallery.html"),
        (BLOBS, results, "save_report", "report.html"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_picture_or_page_fails_the_run_ends_well_and_says_so(
    cli_run, tmp_path, monkeypatch, settings, module, name, product
):
    if settings is PHOTOS:
        library(tmp_path / "photos")
    monkeypatch.setattr(module, name, failing(IndexError("out of [bold]bounds[/x]")))
    run = cli_run(*settings)
    assert run.code == 0, run.err
    assert run.scores["warnings"] == [f"{product} was not made: IndexError: out of [bold]bounds[/x]"]
    assert f"warning: {product} was not made: IndexError: out of [bold]bounds[/x]\n" in run.out
    assert not (run.folder / product).exists()
    expected = {"scores.json", "assignments.csv", "model", "figures", "report.html"} - {product}
    assert expected <= {path.name for path in run.folder.iterdir()}
    if product != "report.html":
        assert "out of [bold]bounds[/x]" in (run.folder / "report.html").read_text()


@pytest.mark.draws
def test_a_run_without_failures_has_no_warnings(cli_run):
    assert cli_run(*BLOBS).scores["warnings"] == []


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), UserError("report.html cannot be written"), MemoryError()],
)
def test_a_disk_that_is_full_after_the_scores_does_not_end_the_run(cli_run, monkeypatch, error):
    monkeypatch.setattr(results, "save_report", failing(error))
    run = cli_run(*BLOBS)
    assert run.code == 0, run.err
    assert len(run.scores["warnings"]) == 1
    assert run.scores["warnings"][0].startswith("report.html was not made: ")


def test_warnings_that_cannot_be_added_to_the_scores_leave_the_scores_as_they_are(cli_run, monkeypatch):
    write, calls = results.save_scores, []

    def once(path, scores):
        calls.append(path)
        if len(calls) > 1:
            raise UserError(f"{path} cannot be written: No space left on device")
        write(path, scores)

    monkeypatch.setattr(results, "save_scores", once)
    monkeypatch.setattr(results, "save_report", failing(ValueError("no report")))
    run = cli_run(*BLOBS)
    assert run.code == 0, run.err
    assert run.scores["warnings"] == []
    assert "warning: the list of warnings in scores.json was not made" in run.out


def test_where_umap_fails_the_map_is_that_of_pca(cli_run, monkeypatch):
    pytest.importorskip("umap")
    monkeypatch.setattr("deepcluster_pl.evaluation.projection._by_umap", failing(RuntimeError("numba")))
    run = cli_run(*BLOBS, "map=umap")
    assert run.code == 0, run.err
    assert run.scores["warnings"] == ["the map by UMAP was not made: RuntimeError: numba"]
    assert float(run.assignments[0]["x"]) != 0
    assert "first two principal components" in (run.folder / "report.html").read_text()


def test_scores_do_not_wait_for_pictures(cli_run, monkeypatch):
    """A run killed while it draws has its scores."""
    monkeypatch.setattr(results, "save_figures", failing(KeyboardInterrupt()))
    run = cli_run(*BLOBS)
    assert run.code == 130
    assert run.scores["fit"]["n"] == 60
    assert len(run.assignments) == 60


@pytest.mark.draws
def test_hostile_labels_stop_no_figure_and_no_page(cli_run, tmp_path):
    n = 6 * len(HOSTILE)
    x = np.random.default_rng(0).normal(size=(n, 3))
    np.savez(tmp_path / "x.npz", x=x, y=np.array([HOSTILE[i % len(HOSTILE)] for i in range(n)]))
    run = cli_run(*KMEANS, "data=array", "data.path=x.npz", "data.name='[/bold] $x^$'")
    assert run.code == 0, run.err
    assert all("halves of one large group" in warning for warning in run.scores["warnings"])  # which these samples are
    assert "Traceback" not in run.err
    page = (run.folder / "report.html").read_text(encoding="utf-8", errors="surrogateescape")
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert len(page) < 500_000
    assert {path.name for path in (run.folder / "figures").iterdir()} == {"map.png", "confusion.png"}
    labels = {row["label"] for row in run.assignments}
    assert labels == {text if text != "\ud800half" else r"\ud800half" for text in HOSTILE}


@pytest.mark.draws
def test_hostile_names_of_features_and_samples_stop_no_page(cli_run, tmp_path):
    names = [text for text in HOSTILE if text.isprintable() and len(text) < 100]
    names += ["\u202eabc", "\ufffe", "b" * 100_000]
    x = np.random.default_rng(0).normal(size=(60, len(names))) + 5 * np.random.default_rng(1).integers(3, size=(60, 1))
    with (tmp_path / "x.csv").open("w", newline="", encoding="utf-8") as file:
        rows = ([f"{names[i % len(names)]}{i}", *values] for i, values in enumerate(x.tolist()))
        csv.writer(file).writerows([["id", *names], *rows])
    run = cli_run(*KMEANS, "data=array", "data.path=x.csv", "data.id_column=id")
    assert run.code == 0, run.err
    assert run.scores["warnings"] == []
    page = (run.folder / "report.html").read_text(encoding="utf-8", errors="surrogateescape")
    assert "<script>alert" not in page
    assert re.search("Typical features", page)
    assert len(page) < 1_000_000


def test_pictures_without_a_cache_that_can_be_written_are_clustered_alike(cli_run, tmp_path):
    library(tmp_path / "photos")
    (tmp_path / "file").write_text("no folder")
    sound = cli_run(*PHOTOS, f"cache_dir={tmp_path}/cache", name="sound")
    run = cli_run(*PHOTOS, f"cache_dir={tmp_path}/file")
    assert run.code == 0, run.err
    assert run.labels == sound.labels
    assert len(run.scores["warnings"]) == 3  # the features, and two baselines
    assert "cannot be written" in run.scores["warnings"][0]
    assert (run.folder / "gallery.html").is_file()
