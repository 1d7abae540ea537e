"""Kinds of samples: each one is recognized from shape and values alone, and described in words."""

from __future__ import annotations

import numpy as np
import pytest

from deepcluster_pl.data.kinds import recognize
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.sources.tabular import ArrayData

random = np.random.default_rng(0)


def kind_of(common, x, **options):
    data = ArrayData(**{**ArrayOptions, **common(**options)})
    data.take_over(Table(np.asarray(x), range(len(x))))
    data.setup()
    return recognize(data, seed=0)


ArrayOptions = {"path": None, "label_column": None, "id_column": None, "columns": None}


def unit(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(
    ("x", "kind", "text"),
    [
        (random.integers(0, 255, (30, 8, 8), dtype=np.uint8), "images", "30 images of 8x8"),
        (random.random((30, 16, 16, 3), dtype=np.float32), "images", "30 images of 16x16x3"),
        (unit(random.normal(size=(40, 32))), "embeddings", "40 embeddings of 32 columns, of unit length"),
        (random.normal(size=(40, 384)), "embeddings", "40 embeddings of 384 columns"),
        (random.poisson(0.1, (40, 200)), "counts", "40 rows of counts of 200 columns, 9"),
        (random.normal(size=(40, 13)), "table", "40 rows of 13 columns"),
        (random.integers(0, 2, (40, 12)), "table", "40 rows of 12 columns"),
    ],
    ids=["gray images", "color images", "unit rows", "wide rows", "counts", "table", "flags"],
)
def test_each_kind_is_recognized(common, x, kind, text):
    found = kind_of(common, x)
    assert found.kind == kind
    assert found.describe().startswith(text)


def test_scaling_does_not_hide_a_kind(common):
    assert kind_of(common, unit(random.normal(size=(40, 32))), scale="standard").has_unit_length


def test_rows_of_zeros_are_a_table(common):
    assert kind_of(common, np.zeros((20, 20))).kind == "table"
