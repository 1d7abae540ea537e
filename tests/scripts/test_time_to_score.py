"""Seconds to a score: when each score was first there, and a table of what was recorded."""

from __future__ import annotations

import sys

import pytest

from scripts.benchmarks import time_to_score
from scripts.benchmarks.time_to_score import scored, seconds_to


def test_the_table_of_the_page_is_that_of_the_recorded_runs():
    assert time_to_score.write_table(check=True) == 0


def test_scores_that_a_program_prints_are_noted_when_they_come():
    program = "import time; print('hello'); print('score 0.5', flush=True); time.sleep(0.4); print('score 0.9')"
    points, ended = scored([sys.executable, "-c", program], None, limit=60)
    assert ended == "done"
    assert [score for _, score in points] == [0.5, 0.9]
    assert points[1][0] > points[0][0]
    assert seconds_to(points) == {"0.80": points[1][0], "0.90": points[1][0], "0.95": None}


def test_scores_of_a_run_are_its_refreshes_and_its_result(tmp_path):
    (tmp_path / "fit").mkdir()
    (tmp_path / "fit" / "metrics.csv").write_text("step,epoch,metric,value\n0,,clusters/nmi,0.4\n9,,clusters/nmi,0.6\n")
    assert list(time_to_score.scores_in(tmp_path)) == [0.4, 0.6]
    (tmp_path / "scores.json").write_text('{"fit": {"nmi": 0.7}}')
    assert list(time_to_score.scores_in(tmp_path)) == [0.4, 0.6, 0.7]


@pytest.mark.parametrize(("program", "limit", "how"), [("raise SystemExit(3)", 60, "failed"),
                                                       ("import time; time.sleep(60)", 0.3, "limit")])  # fmt: skip
def test_a_program_that_fails_or_takes_too_long_is_said_to(program, limit, how):
    assert scored([sys.executable, "-c", program], None, limit) == ([], how)
