"""A metrics.csv that was cut anywhere is read, and a logger that continues it loses only the half line."""

from __future__ import annotations

import pytest

from deepcluster_pl.utils.csv_logger import MetricsCSV, read_curves


@pytest.fixture
def logger(tmp_path):
    return MetricsCSV(str(tmp_path), "fit")


@pytest.fixture
def content(logger):
    for step in range(3):
        logger.log_metrics({"epoch": step, "fit/kl": 0.125 * step, "clusters/changed": 1e-05 * step}, step)
    return logger.path.read_bytes()


def steps(curves):
    return sum(len(points) for points in curves.values())


def test_values_come_back(logger, content):
    assert read_curves([logger.path]) == {
        "fit/kl": {0: 0.0, 1: 0.125, 2: 0.25}, "clusters/changed": {0: 0.0, 1: 1e-05, 2: 2e-05}
    }  # fmt: skip


@pytest.mark.parametrize("tail", [b"", b"\0" * 700])
def test_cut_anywhere_it_is_read_and_continued_and_only_the_half_line_is_lost(logger, content, tail):
    whole = read_curves([logger.path])
    for cut in range(len(content) + 1):
        logger.path.write_bytes(content[:cut] + tail)
        left = read_curves([logger.path])
        assert all(whole[name][step] == value for name, points in left.items() for step, value in points.items())
        assert steps(left) == max(0, content[:cut].count(b"\n") - 1)  # less the header
        logger.log_metrics({"fit/kl": 0.5}, 9)
        continued = read_curves([logger.path])
        assert continued.get("fit/kl", {}).pop(9) == 0.5
        assert {name: points for name, points in continued.items() if points} == left
        assert logger.path.read_bytes().startswith(b"step,epoch,metric,value\r\n")


def test_lines_that_are_no_rows_are_left_out(logger, content):
    rubbish = b'\0\0\n\xff\xfe\n"open\n1,2\n1,2,3,4,5\nx,,fit/kl,1\n5,,fit/kl,half\n\n'
    whole = read_curves([logger.path])
    logger.path.write_bytes(content + rubbish + b"7,,fit/kl,0.75\n")
    assert read_curves([logger.path]) == {**whole, "fit/kl": {**whole["fit/kl"], 7: 0.75}}


def test_a_second_name_of_the_file_keeps_its_content(logger, content, tmp_path):
    (tmp_path / "mine").hardlink_to(logger.path)
    logger.log_metrics({"loss": 9.0}, 9)
    assert (tmp_path / "mine").read_bytes() == content
    assert logger.path.read_bytes().startswith(content)
    assert read_curves([logger.path])["loss"] == {9: 9.0}
