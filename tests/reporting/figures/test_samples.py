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
    pictures = draw_reconstructions(data, net).axes[0].images
    assert len(pictures) == 14
    for above, below in zip(pictures[::2], pictures[1::2], strict=True):
        assert np.array_equal(above.get_array(), below.get_array())
        left, right, bottom, top = above.get_extent()
        assert below.get_extent()[:2] == [left, right]
        assert bottom < below.get_extent()[3]
        assert right - left == pytest.approx((bottom - top) * 6 / 5)
    assert torch.is_grad_enabled()
