"""What the curves show: the values that the stages wrote, a repeated step once."""

from __future__ import annotations

import pytest

from deepcluster_pl.reporting.figures.curves import curves, panels
from deepcluster_pl.utils.csv_logger import read_curves

HEADER = "step,epoch,metric,value\n"


def test_of_a_step_that_was_repeated_after_a_resume_the_later_line_counts(tmp_path):
    (tmp_path / "metrics.csv").write_text(HEADER + "5,,fit/kl,0.5\n9,,fit/kl,0.4\n5,,fit/kl,0.3\n")
    assert read_curves([tmp_path / "metrics.csv", tmp_path / "absent.csv"]) == {"fit/kl": {5: 0.3, 9: 0.4}}


def test_lines_are_drawn_in_the_order_of_steps():
    line = curves({"fit/kl": {9: 0.4, 5: 0.3}}).axes[0].lines[0]
    assert list(line.get_xdata()) == [5, 9]
    assert list(line.get_ydata()) == pytest.approx([0.3, 0.4])


def test_without_labels_other_scores_are_shown():
    found = {"clusters/silhouette_code": {0: 0.1}, "clusters/size_entropy": {0: 0.9}}
    assert panels(found) == {"Clusters at each refresh": ["clusters/silhouette_code", "clusters/size_entropy"]}
    assert "clusters/silhouette_code" not in str(panels(found | {"clusters/nmi": {0: 0.2}}))
