"""Tables that are refused before training, with the place in the error."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deepcluster_pl.data import validation
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.validation import check_table
from deepcluster_pl.errors import UserError


def assert_refused(x, pattern, ids=None, labels=None):
    with pytest.raises(UserError, match=pattern):
        check_table(Table(x, range(len(x)) if ids is None else ids, labels))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float32, np.float64, bool])
def test_plain_numbers_of_any_type_pass_and_stay_as_they_are(dtype):
    x = np.ones((3, 2), dtype=dtype)
    check_table(Table(x, ["a", "b", "c"], np.arange(3)))
    assert x.dtype == dtype
    assert x.all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values_that_are_not_finite_are_counted_and_the_first_is_located(value, dtype):
    x = np.zeros((6, 3), dtype=dtype)
    x[2, 1] = x[4, 0] = x[5, 2] = value
    assert_refused(x, r"found 3 values .* row 2 \(id c\), column 1", ids=list("abcdef"))


def test_bad_pixel_is_located_in_its_image():
    x = np.zeros((3, 4, 5), dtype=np.float32)
    x[1, 2, 3] = np.nan
    assert_refused(x, r"found 1 values .* row 1 \(id 1\), position \(2, 3\)")


def test_bad_values_are_counted_across_all_chunks():
    x = np.zeros((9, 2**21), dtype=np.float16)  # two rows a chunk
    x[3, 7] = x[8, 1] = np.nan
    assert_refused(x, r"found 2 values .* row 3 \(id 3\), column 7")


def test_values_beyond_float32_are_refused():
    assert_refused(np.array([[1.0], [1e300]]), r"too large for float32; the first, 1e\+300, is in row 1")


def test_the_first_bad_value_is_shown_wherever_its_chunk_begins(monkeypatch):
    monkeypatch.setattr(validation, "_NUMBERS_AT_ONCE", 4)
    x = np.zeros((7, 2))
    x[4, 1], x[5, 0] = -np.inf, np.nan
    assert_refused(x, r"found 2 values .* the first, -inf, is in row 4 \(id 4\), column 1")


def test_largest_number_of_float32_passes():
    x = np.full((2, 1, 1), np.finfo(np.float32).max, dtype=np.float64)
    check_table(Table(x, range(2)))
    assert_refused(x * 1.000001, "found 2 values .* too large for float32")


SECONDS = np.array([[0, 1_700_000_000], [1, 1_700_000_030], [2, 1_700_000_060]])


@pytest.mark.parametrize("dtype", [np.float64, np.int64])
@pytest.mark.parametrize("numbers_at_once", [2, 4, 2**22])
def test_columns_that_float32_blurs_are_refused_with_their_range(monkeypatch, dtype, numbers_at_once):
    monkeypatch.setattr(validation, "_NUMBERS_AT_ONCE", numbers_at_once)
    told = "column 1 runs from 1700000000 to 1700000060, which float32 blurs to steps of 128; subtract a constant"
    assert_refused(SECONDS.astype(dtype), told)
    assert_refused(-SECONDS.astype(dtype), "column 1 runs from -1700000060 to -1700000000")


@pytest.mark.parametrize(
    "x",
    [
        SECONDS - SECONDS[0],
        np.array([[0, -1e9], [1, 0], [2, 1e9]]),  # large, and wide beside the steps
        np.full((3, 2), 1.7e9),  # constant: nothing to tell apart
        SECONDS.astype(np.float32),  # the file itself was no finer
        SECONDS.astype(np.float64)[:, :, None],  # an image
    ],
)
def test_columns_that_float32_can_tell_apart_pass(x):
    before = x.copy()
    check_table(Table(x, range(len(x))))
    np.testing.assert_array_equal(x, before)


def test_no_samples_is_an_error():
    assert_refused(np.zeros((0, 3)), "found 0 samples")


@pytest.mark.parametrize("shape", [(4,), (4, 0), (4, 3, 0)])
def test_samples_need_features(shape):
    assert_refused(np.zeros(shape), r"samples have shape \(4")


@pytest.mark.parametrize("x", [np.array([["a"], ["b"]]), np.ones((2, 1), dtype=complex)])
def test_samples_need_to_be_numbers(x):
    assert_refused(x, "expected numbers")


def test_repeated_ids_are_named():
    assert_refused(np.ones((4, 1)), "1 ids occur more than once, the first is 'b'", ids=["a", "b", "c", "b"])


def test_ids_are_as_many_as_samples():
    assert_refused(np.ones((4, 1)), "found 3 ids for 4 samples", ids=["a", "b", "c"])


@pytest.mark.parametrize("shape", [(3,), (4, 1), (4, 10), ()])
def test_labels_are_one_for_each_sample(shape):
    told = f"labels have shape {re.escape(str(shape))}, expected \\(4,\\) for 4 samples"
    assert_refused(np.ones((4, 1)), told, labels=np.zeros(shape, dtype=int))
