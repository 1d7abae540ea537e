"""Pictures of samples, for every layout of an image."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.nets.identity import Identity
from deepcluster_pl.reporting.figures.samples import draw_reconstructions
from deepcluster_pl.utils.image_layout import channels_last


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((5, 6), (5, 6)), ((5, 6, 1), (5, 6)), ((1, 5, 6), (5, 6)), ((3, 5, 6), (5, 6, 3)), ((5, 6, 3), (5, 6, 3))],
)
def test_channels_come_last_and_a_single_one_is_dropped(shape, expected):
    assert channels_last(np.zeros(shape)).shape == expected


@pytest.mark.parametrize("shape", [(5, 6), (3, 5, 6)])
def test_a_perfect_net_shows_each_sample_twice(tmp_path, common, shape):
    x = np.random.default_rng(0).random((7, *shape), dtype=np.float32)
    np.save(tmp_path / "x.npy", x)
    data = ArrayData(path=str(tmp_path / "x.npy"), label_column=None, id_column=None, columns=None, **common())
    data.setup()
    net = Identity(shape)
    net.decode = lambda z: z.reshape(-1, *shape)
    axes = np.array(draw_reconstructions(data, net).axes).reshape(4, 4)
    for column in range(4):
        above, below = axes[0, column].images[0].get_array(), axes[1, column].images[0].get_array()
        assert np.array_equal(above, below)
    assert [len(axis.images) for axis in axes[2]] == [1, 1, 1, 0]
    assert torch.is_grad_enabled()
