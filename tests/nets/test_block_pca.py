"""The net of principal components: measured as scikit-learn measures, corrected by a fit, saved with its weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import decomposition

from deepcluster_pl.data.images.descriptors import BLOCKS
from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.errors import UserError
from deepcluster_pl.functional.block_components import WeightedBlock, block_components, moments
from deepcluster_pl.nets.block_pca import PCA

BLOCK = ["drawing", "writing"]
LENGTHS = [BLOCKS[name][1] for name in BLOCK]


@pytest.fixture
def data(tmp_path, common):
    generator = np.random.default_rng(0)
    loads = generator.normal(size=(8, sum(LENGTHS)))
    x = generator.normal(size=(60, 8)) @ loads + 0.1 * generator.normal(size=(60, sum(LENGTHS))) + 5
    np.save(tmp_path / "x.npy", x.astype(np.float32))
    source = ArrayData(str(tmp_path / "x.npy"), None, None, None, **common(scale="standard", holdout=0.25))
    source.setup()
    return source


def measured(data, **changes):
    torch.manual_seed(0)
    plain = {"blocks": BLOCK, "n_components": 5, "whitening": 0.5, "latent_dim": 4, "hidden": []}
    net = PCA(data.input_shape, **(plain | changes))
    net.measure(data)
    return net


def embedded(net, data, name="fit"):
    x = torch.from_numpy(data.part(name).take(np.arange(len(data.part(name)))))
    return net.eval().encode(net.prepare(x)).detach().numpy()


@pytest.mark.parametrize("whitening", [0.0, 0.5, 1.0])
def test_the_embedding_is_that_of_scikit_learn_block_by_block_and_then_of_all(data, whitening):
    x = data.prepared("fit").astype(np.float64)
    parts = []
    for block in np.split(x, [LENGTHS[0]], axis=1):
        z = decomposition.PCA(5, svd_solver="full").fit_transform(block)
        z = z / z.std(axis=0) ** whitening
        parts.append(z / np.sqrt((z**2).sum(axis=1).mean()))
    z = decomposition.PCA(4, svd_solver="full").fit_transform(np.concatenate(parts, axis=1))
    z = z / np.sqrt((z**2).mean())
    found = embedded(measured(data, whitening=whitening), data)
    np.testing.assert_allclose(np.abs(found), np.abs(z), atol=2e-4)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)


def test_without_names_all_features_are_one_block(data):
    z = decomposition.PCA(4, svd_solver="full").fit_transform(data.prepared("fit").astype(np.float64))
    found = embedded(measured(data, blocks=None, whitening=0.0), data)
    np.testing.assert_allclose(np.abs(found), np.abs(z) / np.sqrt((z**2).mean()), atol=2e-4)


def test_held_out_samples_have_no_part_in_it(data):
    before = measured(data).state_dict()
    held = data.part("holdout")
    changed = np.array(held._table.x)
    changed[held.rows] = 1e3
    object.__setattr__(held._table, "x", changed)
    after = measured(data).state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_every_block_weighs_the_same_and_a_constant_one_nothing():
    covariance = np.diag([100.0, 100, 1, 1, 0, 0])
    x = (
        np.random.default_rng(0).multivariate_normal(np.zeros(6), covariance, size=4000)
        @ block_components(covariance, [WeightedBlock(2, 2, 1.0, True)] * 3, 0.5, np.ones(6)).T
    )
    variance = x.var(axis=0).reshape(3, 2).sum(axis=1)
    np.testing.assert_allclose(variance, [1, 1, 0], atol=0.08)


def test_moments_agree_with_numpy_whatever_the_chunks():
    x = np.random.default_rng(0).normal(3, 2, size=(50, 4)).astype(np.float32)
    for size in (7, 50):
        chunks = [np.arange(start, min(start + size, 50)) for start in range(0, 50, size)]
        mean, covariance = moments(lambda rows: x[rows], chunks)
        np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(covariance, np.cov(x.T, bias=True), rtol=1e-4)


def test_the_correction_begins_as_nothing_and_can_be_learned(data):
    plain, corrected = measured(data), measured(data, hidden=[16, 16])
    np.testing.assert_allclose(embedded(corrected, data), embedded(plain, data), atol=1e-5)
    trained = [name for name, parameter in corrected.encoder.named_parameters() if parameter.requires_grad]
    assert "1.weight" not in trained
    assert {"2.last.weight", "2.beside.0.weight", "2.beside.4.weight"} <= set(trained)
    corrected.encode(corrected.prepare(torch.randn(8, sum(LENGTHS)))).square().sum().backward()
    assert corrected.encoder[2].beside[4].weight.grad.abs().max() > 0


def test_all_that_was_measured_is_saved_with_the_weights(data):
    net = measured(data, hidden=[16])
    fresh = PCA(data.input_shape, BLOCK, 5, 0.5, 4, [16])
    fresh.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(embedded(fresh, data, "holdout"), embedded(net, data, "holdout"))


def test_the_decoder_gives_back_what_the_embedding_holds(data):
    net = measured(data, latent_dim=10)
    x = torch.from_numpy(data.prepared("fit"))
    z = net.encode(x)
    torch.testing.assert_close(net.encode(net.decode(z)), z, atol=1e-3, rtol=1e-3)
    assert (net.decode(z) - x).square().mean() < 0.5 * x.var()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"blocks": ["gist"]}, "describe 384 features, and samples have 71; type net.blocks=null"),
        ({"blocks": ["drawings"]}, "type net.blocks=null"),
        ({"latent_dim": 11}, "should be at most the 10 components"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_a_line(data, options, told):
    with pytest.raises(UserError, match=told):
        measured(data, **options)


def test_pictures_themselves_are_too_many_features():
    with pytest.raises(UserError, match=r"at most 8192 features, found 12288; type net=conv_autoencoder"):
        PCA((64, 64, 3), None, 20, 0.5, 20, [])
