"""A part of a table: its samples by position, in the types of batches, with their ids, labels and copies."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deepcluster_pl.data.samples import Part, SelectedIds, Table

ROWS = np.array([4, 1, 3])


def table(dtype="float64", **changes):
    """Five samples of shape (2,), the row number in the tens."""
    x = (np.arange(5)[:, None] * 10 + np.arange(2)).astype(dtype)
    return Table(**({"x": x, "ids": list("abcde"), "labels": np.arange(5) % 2} | changes))


def test_a_part_holds_the_samples_ids_and_labels_of_its_rows():
    part = Part(table(feature_names=("u", "v")), ROWS)
    assert len(part) == 3
    assert part.take(np.array([2, 0])).tolist() == [[30, 31], [40, 41]]
    assert (list(part.ids), part.labels.tolist(), part.feature_names) == (["e", "b", "d"], [0, 1, 1], ["u", "v"])
    assert part.load_all().tolist() == [[40, 41], [10, 11], [30, 31]]


def test_a_part_of_a_part_counts_in_its_own_positions():
    part = Part(table(), ROWS).only(np.array([2, 0]))
    assert list(part.ids) == ["d", "e"]
    assert part.take(np.array([1])).tolist() == [[40, 41]]


def test_one_item_and_a_batch_agree():
    part = Part(table(), ROWS)
    x, index = part[1]
    assert (x.tolist(), index.item()) == ([10, 11], 1)
    many, indices = part.__getitems__([2, 1])
    assert torch.equal(many[1], x)
    assert indices.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("dtype", "batch"), [("uint8", "uint8"), ("float64", "float32"), ("int16", "float32"), ("float32", "float32")]
)
def test_bytes_stay_bytes_and_other_numbers_become_float32(dtype, batch):
    part = Part(table(dtype), ROWS)
    assert part.take(np.array([0])).dtype == part.dtype == np.dtype(batch)
    assert part.load_all().dtype == np.dtype(dtype)
    assert part.n_bytes == 3 * 2 * np.dtype(dtype).itemsize


def test_samples_may_be_stored_in_another_order_with_rows_that_belong_to_none():
    whole = table(order=np.array([3, 0]), ids=["x", "y"], labels=None)
    part = Part(whole, np.array([1, 0]))
    assert (whole.n, list(part.ids), part.labels) == (2, ["y", "x"], None)
    assert part.take(np.array([0, 1])).tolist() == [[0, 1], [30, 31]]
    assert part.load_all().tolist() == [[0, 1], [30, 31]]


def test_of_each_sample_the_copy_asked_for_is_taken_and_copy_0_is_the_sample():
    copies = table().x[:, None] + np.array([0.25, 0.5])[None, :, None]
    part = Part(table(copies=copies), ROWS)
    assert part.n_copies == 2
    taken = part.take_copies(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 2]))
    assert taken.tolist() == [[40, 41], [40.5, 41.5], [10.25, 11.25], [30.5, 31.5]]


def test_without_copies_each_sample_is_its_own():
    part = Part(table(), ROWS)
    assert part.n_copies == 0
    assert part.take_copies(np.array([1]), np.array([1])).tolist() == [[10, 11]]


@pytest.mark.parametrize(("size", "lengths"), [(1, [1, 1, 1]), (2, [2, 1]), (3, [3]), (9, [3])])
def test_slices_hold_every_position_once_in_order(size, lengths):
    slices = Part(table(), ROWS).slices(size)
    assert [len(positions) for positions in slices] == lengths
    assert np.concatenate(slices).tolist() == [0, 1, 2]


def test_ids_are_looked_up_when_asked_for():
    asked = []

    class Names(list):
        def __getitem__(self, index):
            asked.append(int(index))
            return super().__getitem__(index)

    ids = SelectedIds(Names("abcde"), ROWS)
    assert (len(ids), ids[2], asked) == (3, "d", [3])
