"""Every source: its samples are loaded once, divided with their ids and labels, scaled, and read in order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.sources import InMemory, flat, indices

from deepcluster_pl.data.samples import Table
from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.identity import Identity


def test_parts_keep_ids_and_labels_beside_their_samples(source):
    data = source(holdout=0.3)
    assert (len(data.part("fit")), len(data.part("holdout"))) == (16, 7)
    for name in data.parts:
        part = data.part(name)
        rows = [int(sample[2:]) for sample in part.ids]
        assert part.labels.tolist() == [row % 3 for row in rows]
        np.testing.assert_array_equal(part.take(np.arange(len(part))), data.table.x[rows].astype(np.float32))
    assert sorted([*data.part("fit").ids, *data.part("holdout").ids]) == sorted(data.table.ids)


def test_nothing_held_out_means_one_part(source):
    assert source().parts == ["fit"]
    assert source(holdout=0.3).parts == ["fit", "holdout"]


def test_passes_without_gradients_keep_the_order(source):
    data = source(holdout=0.3)
    assert flat(indices(data.loader("fit"))) == list(range(16))
    assert flat(indices(data.loader("holdout"))) == list(range(7))


def test_loader_of_some_rows_gives_just_those(source):
    data = source()
    [(x, _)] = data.loader("fit", np.array([4, 1]))
    np.testing.assert_array_equal(x.numpy(), data.table.x[[4, 1]].astype(np.float32))


@pytest.mark.parametrize("scale", ["none", "unit", "standard"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_prepared_samples_are_what_a_net_sees(source, dtype, scale):
    data = source(dtype, scale=scale, holdout=0.3)
    net = Identity(data.input_shape)
    net.set_scaling(data.scaling.shift, data.scaling.factor)
    for name in data.parts:
        seen = torch.cat([net.encode(net.prepare(x)) for x, _ in data.loader(name)])
        np.testing.assert_allclose(data.prepared(name), seen.numpy(), atol=1e-6)


def test_prepared_rows_are_those_of_all_in_the_order_asked_for(source):
    data, rows = source(holdout=0.3), np.array([9, 2, 15])
    np.testing.assert_array_equal(data.prepared("fit", rows), data.prepared("fit")[rows])


def test_source_is_loaded_once(source):
    data = source()
    data.setup()
    assert data.loaded == 1


def test_fingerprint_is_equal_for_equal_data_and_protocol_only(source):
    prints = [source(**options).fingerprint() for options in ({}, {"name": "other"}, {"residency": "disk"})]
    assert len(set(prints)) == 1
    changed = [{"holdout": 0.3}, {"holdout": 0.3, "seed": 1}, {"scale": "unit"}, {"dtype": np.uint8}]
    assert len({prints[0], *(source(**options).fingerprint() for options in changed)}) == 5


def test_bad_samples_are_refused_at_setup(common):
    data = InMemory(Table(np.array([[1.0], [np.nan]]), range(2)), common())
    with pytest.raises(UserError, match="row 1"):
        data.setup()
