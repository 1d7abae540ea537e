"""The net of gradients: components as scikit-learn measures them, a way back, and images only."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from sklearn import decomposition
from sklearn.datasets import load_digits

from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.gradients import Gradients


@pytest.fixture(scope="module")
def digits():
    return (load_digits().images[:300] / 16).astype(np.float32)


@pytest.fixture
def measured(digits, tmp_path, common):
    np.save(tmp_path / "x.npy", digits)
    source = ArrayData(str(tmp_path / "x.npy"), None, None, None, **common(scale="none", holdout=0.0))
    source.setup()
    net = Gradients((8, 8), n_cells=4, n_directions=8, n_components=6)
    net.measure(source)
    return net


def test_embeddings_are_principal_components_of_the_histograms(measured, digits):
    x = torch.from_numpy(digits)
    with torch.no_grad():
        found, histograms = measured.encode(x).numpy(), measured.features(x).double().numpy()
    expected = decomposition.PCA(6, svd_solver="full").fit_transform(histograms)
    expected /= np.sqrt((expected**2).mean())
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=2e-3)


def test_the_decoder_is_the_best_linear_way_back(measured, digits):
    x = torch.from_numpy(digits)
    with torch.no_grad():
        z = measured.encode(x)
        error = float((measured.decode(z) - x).square().mean())
    ones = np.column_stack([z.numpy(), np.ones(len(z))])
    rest = digits.reshape(300, -1) - ones @ np.linalg.lstsq(ones, digits.reshape(300, -1), rcond=None)[0]
    assert error == pytest.approx(float((rest**2).mean()), rel=1e-3)


def test_rows_without_two_sides_are_refused_with_a_method_to_type():
    with pytest.raises(UserError, match="type method=communities"):
        Gradients((13,), 4, 8, 50)
    assert Gradients((3, 20, 30), 4, 8, 50).encode(torch.rand(2, 3, 20, 30)).shape == (2, 50)


def test_images_are_set_upright_where_groups_get_clearer_and_the_choice_is_saved(digits, tmp_path, common):
    turned = np.pad(load_digits().images[:600] / 16, ((0, 0), (4, 4), (4, 4))).astype(np.float32)
    draw = np.random.default_rng(0)
    slanted = [
        ndimage.affine_transform(x, [[1, 0], [s, 1]], [0, -7.5 * s], order=1)
        for x, s in zip(turned, draw.uniform(-1, 1, 600), strict=True)
    ]
    for images, expected in ((digits, 0.0), (np.array(slanted, np.float32), 1.0)):
        np.save(tmp_path / "x.npy", images)
        source = ArrayData(str(tmp_path / "x.npy"), None, None, None, **common(scale="none", holdout=0.0))
        source.setup()
        nets = [Gradients(images.shape[1:], 4, 8, 6, upright="auto") for _ in range(2)]
        nets[0].measure(source)
        assert float(nets[0].histograms.share) == expected
        assert ("images are set upright" in nets[0].remark) == bool(expected)
        nets[1].load_state_dict(nets[0].state_dict())
        x = torch.from_numpy(images[:5])
        torch.testing.assert_close(nets[1].encode(x), nets[0].encode(x))
