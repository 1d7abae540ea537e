"""The drawn curves: logged values in the order of steps, a repeated step once."""

from __future__ import annotations

import pytest

from deepcluster_pl.reporting.figures.curves import draw_curves, panels
from deepcluster_pl.utils.csv_logger import read_curves

HEADER = "step,epoch,metric,value\n"


def test_of_a_step_that_was_repeated_after_a_resume_the_later_line_counts(tmp_path):
    (tmp_path / "metrics.csv").write_text(HEADER + "5,,fit/kl,0.5\n9,,fit/kl,0.4\n5,,fit/kl,0.3\n")
    assert read_curves([tmp_path / "metrics.csv", tmp_path / "absent.csv"]) == {"fit/kl": {5: 0.3, 9: 0.4}}


def test_lines_are_drawn_in_the_order_of_steps():
    line = draw_curves({"fit/kl": {9: 0.4, 5: 0.3}}).axes[0].lines[0]
    assert list(line.get_xdata()) == [5, 9]
    assert list(line.get_ydata()) == pytest.approx([0.3, 0.4])


def test_without_labels_other_scores_are_shown():
    curves = {"clusters/silhouette_code": {0: 0.1}, "clusters/size_entropy": {0: 0.9}}
    assert [panel.metrics for panel in panels(curves)] == [["clusters/silhouette_code", "clusters/size_entropy"]]
    assert [panel.metrics for panel in panels(curves | {"clusters/nmi": {0: 0.2}})] == [["clusters/nmi"]]


def test_losses_have_a_logarithmic_axis_and_scores_a_linear_one():
    figure = draw_curves({"pretrain/mse": {0: 9.0, 1: 0.1}, "fit/kl": {0: 0.0}, "clusters/nmi": {0: 0.5}})
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear", "linear"]  # kl has no logarithm
