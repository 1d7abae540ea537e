"""One color for each cluster, the same in every figure and page of a run."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from helpers.pictures import library
from matplotlib.colors import to_hex
from PIL import Image, ImageColor

from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.reporting.figures import draw_embedding_map
from deepcluster_pl.reporting.html_report.svg_charts import draw_scatter
from deepcluster_pl.reporting.palette import palette


@pytest.mark.parametrize("n", [1, 10, 11, 300])
def test_every_cluster_has_a_color_of_its_own(n):
    assert len(set(palette(n))) == n
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in palette(n))


@pytest.mark.parametrize("n_clusters", [3, 10, 12, 40])
def test_the_map_of_figures_and_the_map_of_the_report_color_a_cluster_alike(n_clusters):
    rng = np.random.default_rng(0)
    places = rng.normal(size=(4 * n_clusters, 2)).astype(np.float32)
    clusters = rng.permutation(np.repeat(np.arange(n_clusters), 4))
    probabilities = torch.ones(len(clusters))
    prediction = Prediction(torch.as_tensor(places), torch.as_tensor(clusters), probabilities, 1 - probabilities)

    points = draw_embedding_map(places, prediction, n_clusters, "pca").axes[0].collections[0]
    cluster_at = {tuple(place): k for place, k in zip(places.tolist(), clusters.tolist(), strict=True)}
    figure = {
        cluster_at[tuple(np.float32(place).tolist())]: to_hex(color)
        for place, color in zip(points.get_offsets(), points.get_facecolors(), strict=True)
    }
    page = draw_scatter(places, clusters, range(len(places)), palette(n_clusters))
    report = {int(k): color for k, color in re.findall(r'<circle data-k="(\d+)".*?fill="(#[0-9a-f]{6})"', page)}
    assert figure == report
    assert len(set(figure.values())) == n_clusters


@pytest.mark.draws
def test_all_files_of_a_run_color_a_cluster_alike(cli_run, tmp_path):
    library(tmp_path / "library", 30)
    run = cli_run(
        "data=images", f"data.root={tmp_path / 'library'}", "method=photos/kmeans", "n_clusters=3", "net.latent_dim=4",
        "data.features.side=64", "data.features.blocks=[palette,layout,drawing]", "data.reading_processes=0",
        "trainer.accelerator=cpu",
    )  # fmt: skip
    assert run.code == 0, run.err
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    report = dict(re.findall(r'<circle data-k="(\d+)".*?fill="(#[0-9a-f]{6})"', page))
    legend = dict(re.findall(r'<button type="button" data-k="(\d+)".*?background:(#[0-9a-f]{6})', page))
    assert report == legend
    assert set(report) == {row["cluster"] for row in run.assignments}
    gallery = (run.folder / "gallery.html").read_text(encoding="utf-8")
    facts = json.loads(re.search(r'<script id="facts" type="application/json">(.*?)</script>', gallery)[1])
    assert {k: facts["colors"][int(k)] for k in report} == report
    with Image.open(run.folder / "figures" / "map.png") as image:
        drawn = {color for _, color in image.convert("RGB").getcolors(image.width * image.height)}
    assert {ImageColor.getrgb(color) for color in report.values()} <= drawn
    assert {ImageColor.getrgb(color) for color in palette(10)[3:]} & drawn == set()
