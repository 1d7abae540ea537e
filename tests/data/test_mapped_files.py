"""A mapped file that is cut while it is read is one line; without the check the process would die of a signal."""

from __future__ import annotations

import os

import numpy as np
import pytest
from helpers.command_line import TINY_DEC

from deepcluster_pl.data.mapped_files import check_whole, copy_whole
from deepcluster_pl.data.samples import Part, Table
from deepcluster_pl.data.sources.numpy_files import map_npy
from deepcluster_pl.data.validation import check_table
from deepcluster_pl.errors import UserError
from deepcluster_pl.training.callbacks.cluster_metrics import ClusterMetrics

X = np.arange(40_000, dtype=np.float32).reshape(10_000, 4)


@pytest.fixture
def path(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return tmp_path / "x.npy"


def every_read(x):
    table = Table(x, range(len(x)))
    part = Part(table, np.arange(len(x)))
    return {
        "take": lambda: part.take(np.array([9_999])),
        "load_all": part.load_all,
        "some": Part(table, np.arange(5, len(x))).load_all,
        "check_table": lambda: check_table(table),
        "copies": lambda: Part(Table(X, range(len(X)), copies=x[:, None]), np.arange(len(X))).take_copies(
            np.array([9_999]), np.array([1])
        ),
    }


@pytest.mark.parametrize("read", ["take", "load_all", "some", "check_table", "copies"])
def test_a_read_of_a_file_that_was_cut_is_refused_in_one_line(path, read):
    action = every_read(map_npy(path))[read]
    action()
    os.truncate(path, 4096)
    with pytest.raises(UserError, match=r"^x\.npy was cut while it was read: found 4,096 bytes, expected 160,128; put"):
        action()


def test_a_file_that_grew_or_was_replaced_is_read_as_it_was(path, tmp_path):
    x = map_npy(path)
    with path.open("ab") as file:
        file.write(b"more")
    check_whole(x)
    (tmp_path / "other").write_bytes(b"short")
    os.replace(tmp_path / "other", path)
    assert np.array_equal(copy_whole(x), X)
    check_whole(X)


def test_a_run_ends_in_one_line_where_its_file_is_cut(cli_run, tmp_path, monkeypatch):
    file = tmp_path / "samples.npy"
    np.save(file, np.random.default_rng(0).normal(size=(4_000, 6)).astype(np.float32))
    monkeypatch.setattr(ClusterMetrics, "on_refresh", lambda *args: os.truncate(file, 4096))
    run = cli_run(*TINY_DEC[4:], "data=array", f"data.path={file}", "data.residency=disk", "pretrain.max_epochs=1")
    assert (run.code, run.err.count("\n")) == (1, 1), run.err
    assert "samples.npy was cut while it was read: found 4,096 bytes, expected 96,128" in run.err
