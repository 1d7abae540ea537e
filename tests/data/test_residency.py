"""Residency: the same batches from memory, from a device and from disk, and the place that `auto` chooses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deepcluster_pl.data import residency
from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.data.residency import ResidentLoader, choose_place
from deepcluster_pl.data.samples import Part, Table
from deepcluster_pl.data.sources.tabular import ArrayData

CPU = torch.device("cpu")
TYPES = ["uint8", "int8", "bool", "float16", "float32", "float64", "int16", "uint16", "int64", ">f4"]


@pytest.fixture
def mapped(tmp_path, common):
    """Makes a source whose file stays on disk until it is moved to a place."""

    def make(where, dtype="float32", shape=(23, 3), **options):
        values = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 100, size=shape)
        np.save(tmp_path / "x.npy", values.astype(dtype))
        options = {"holdout": 0.3, "residency": where, **options}
        data = ArrayData(str(tmp_path / "x.npy"), None, None, None, **common(**options))
        data.setup()
        data.move_to(CPU)
        return data

    return make


def batches(data):
    stage = StageData(data, batch_size=4, shuffle=True, seed=1)
    loaders = [stage.train_dataloader(), stage.val_dataloader(), data.loader("fit"), data.loader("holdout")]
    return [(x, index) for loader in loaders for x, index in loader]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("where", ["device", "host", "auto"])
def test_batches_are_those_from_disk_once_they_are_float32(mapped, where, dtype):
    on_disk, here = batches(mapped("disk", dtype)), batches(mapped(where, dtype))
    assert len(on_disk) == len(here) == 4 + 1 + 1 + 1
    for (x, index), (x_here, index_here) in zip(on_disk, here, strict=True):
        assert torch.equal(index, index_here)
        assert torch.equal(x.float(), x_here.float())


@pytest.mark.parametrize("dtype", ["uint8", "float16", "bool"])
def test_samples_keep_their_own_small_type_in_memory(mapped, dtype):
    x, _ = next(iter(mapped("host", dtype).loader("fit")))
    assert str(x.dtype) == f"torch.{dtype}"


def test_memory_holds_what_the_user_may_not_change(mapped, tmp_path):
    data = mapped("host", holdout=0.0)
    loader = data.loader("fit")
    before = [x.clone() for x, _ in loader]
    np.save(tmp_path / "x.npy", np.zeros((23, 3), dtype="float32"))
    assert all(torch.equal(x, old) for (x, _), old in zip(loader, before, strict=True))


def test_samples_on_the_device_need_no_workers(mapped):
    data = mapped("device", num_workers=2)
    assert data.num_workers == 0
    assert isinstance(data.loader("fit"), ResidentLoader)


def test_workers_read_from_main_memory_where_nothing_else_is_asked(mapped):
    data = mapped("auto", num_workers=2)
    assert data.num_workers == 2
    assert not isinstance(data.loader("fit"), ResidentLoader)


@pytest.mark.parametrize("where", ["disk", "host"])
def test_samples_at_some_positions_are_the_parts_own(mapped, where):
    data = mapped(where)
    index = torch.tensor([3, 0, 3])
    assert torch.equal(data.samples("fit", index), torch.from_numpy(data.part("fit").take(index.numpy())))


def part_of(x):
    return Part(Table(x, range(len(x))), np.arange(len(x), dtype=np.int64))


@pytest.mark.parametrize(
    ("free", "num_workers", "limit", "expected"),
    [
        (400, 0, 1000, "device"),  # 200 bytes, exactly half
        (399, 0, 1000, "host"),
        (400, 1, 1000, "host"),  # workers cannot read a device's memory
        (0, 0, 200, "host"),
        (0, 0, 199, "disk"),
    ],
)
def test_auto_takes_the_first_place_that_has_room(tmp_path, monkeypatch, free, num_workers, limit, expected):
    np.save(tmp_path / "x.npy", np.zeros((50, 1), dtype="float32"))
    monkeypatch.setattr(residency, "_free_bytes", lambda device: free)
    monkeypatch.setattr(residency, "MAPPED_BYTES", limit)
    part = part_of(np.load(tmp_path / "x.npy", mmap_mode="r"))
    assert choose_place("auto", [part], CPU, num_workers) == expected


def test_auto_never_sends_to_disk_what_is_in_memory_already(monkeypatch):
    monkeypatch.setattr(residency, "MAPPED_BYTES", 0)
    assert choose_place("auto", [part_of(np.zeros((5, 2)))], CPU, 0) == "host"


def test_all_samples_are_no_copy_where_the_array_is_in_memory_and_whole():
    x = np.arange(6, dtype="float32").reshape(3, 2)
    assert np.shares_memory(part_of(x).load_all(), x)
    some = Part(Table(x, range(3)), np.array([2, 0]))
    assert not np.shares_memory(some.load_all(), x)
    np.testing.assert_array_equal(some.load_all(), x[[2, 0]])
