"""The nets have the papers' sizes and first weights, one way to prepare samples, and one way to embed them."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from deepcluster_pl.data.scaling import Scaling
from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.conv import ConvAutoencoder
from deepcluster_pl.nets.embedding import embed
from deepcluster_pl.nets.identity import Identity
from deepcluster_pl.nets.mlp import MLPAutoencoder


def small(code_activation=None, activation="relu", init="fan_in_uniform", dims=(7, 4), input_shape=(3, 2)):
    torch.manual_seed(0)
    return MLPAutoencoder(input_shape, list(dims), activation, code_activation, init)


def batches(x, size):
    return [(part, torch.arange(len(part))) for part in x.split(size)]


def linear_layers(module):
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def test_the_papers_autoencoder_has_3330794_parameters():
    net = small(dims=(500, 500, 2000, 10), input_shape=(28, 28))
    assert sum(parameter.numel() for parameter in net.parameters()) == 3_330_794
    assert sum(parameter.numel() for parameter in net.encoder.parameters()) == 1_665_010
    assert net.latent_dim == 10


def test_decoder_mirrors_the_encoder():
    net = small(dims=(9, 8, 5))
    encoder = [(layer.in_features, layer.out_features) for layer in linear_layers(net.encoder)]
    decoder = [(layer.out_features, layer.in_features) for layer in linear_layers(net.decoder)]
    assert encoder == decoder[::-1] == [(6, 9), (9, 8), (8, 5)]


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh"])
def test_net_agrees_with_a_slow_chain_of_matrices(activation):
    net = small(activation=activation).double()
    between = {"relu": torch.relu, "gelu": nn.functional.gelu, "silu": nn.functional.silu, "tanh": torch.tanh}
    x = torch.randn(5, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    value = x.reshape(5, 6)
    for part, found in ((net.encoder, net.encode(x)), (net.decoder, net.decode(net.encode(x)))):
        *inner, last = linear_layers(part)
        for layer in inner:
            value = between[activation](value @ layer.weight.T + layer.bias)
        value = value @ last.weight.T + last.bias  # neither embedding nor reconstruction has an activation
        torch.testing.assert_close(found.reshape(5, -1), value)
    assert net.decode(net.encode(x)).shape == x.shape


def test_sigmoid_embeddings_lie_between_zero_and_one():
    x = 20 * torch.randn(50, 3, 2, generator=torch.Generator().manual_seed(2))
    linear, squashed = small(), small(code_activation="sigmoid")
    squashed.load_state_dict(linear.state_dict())
    z = squashed.encode(x)
    torch.testing.assert_close(z, torch.sigmoid(linear.encode(x)))
    assert 0 < z.min() < z.max() < 1
    assert linear.encode(x).min() < 0


@pytest.mark.parametrize("init", ["fan_in_uniform", "glorot_uniform"])
def test_first_weights_fill_their_bounds_and_biases_are_zero(init):
    for layer in linear_layers(small(init=init, dims=(300, 200), input_shape=(100,))):
        fan_in, fan_out = layer.in_features, layer.out_features
        bound = fan_in**-0.5 if init == "fan_in_uniform" else (6 / (fan_in + fan_out)) ** 0.5
        assert 0.99 * bound < layer.weight.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
        assert not layer.bias.any()


def test_the_dec_papers_first_weights_are_normal_with_a_deviation_of_a_hundredth():
    for layer in linear_layers(small(init="normal", dims=(300, 200), input_shape=(100,))):
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.03)
        assert layer.weight.mean().item() == pytest.approx(0, abs=2e-4)
        assert layer.weight.abs().max() > 0.03  # wider than a uniform distribution of this deviation
        assert not layer.bias.any()


def test_net_without_layers_is_refused():
    with pytest.raises(ValueError, match=r"dims=\[\] has no layer"):
        small(dims=())


def test_bytes_are_prepared_by_255_and_other_numbers_are_left():
    net = Identity((2,))
    assert net.prepare(torch.tensor([[0, 255]], dtype=torch.uint8)).tolist() == [[0, 1]]
    assert net.prepare(torch.tensor([[0, 255]], dtype=torch.int64)).tolist() == [[0, 255]]
    assert net.prepare(torch.tensor([[0.0, 255.0]], dtype=torch.float64)).dtype == torch.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_net_prepares_as_the_scaling_that_was_measured(dtype):
    x = np.random.default_rng(0).integers(256, size=(10, 3, 2)).astype(dtype)
    scaling = Scaling(np.full((3, 2), 0.25, dtype=np.float32), np.arange(6, dtype=np.float32).reshape(3, 2))
    net = small()
    net.set_scaling(scaling.shift, scaling.factor)
    np.testing.assert_allclose(net.prepare(torch.as_tensor(x)), scaling.apply(x), rtol=1e-6)


def test_scaling_is_saved_with_the_weights_and_never_trained():
    net, fresh = small(), small()
    net.set_scaling(np.float32(3), np.float32(0.5))
    fresh.load_state_dict(net.state_dict())
    assert fresh.prepare(torch.full((1, 3, 2), 5.0)).tolist() == [[[1, 1]] * 3]
    assert not {"shift", "factor"} & {name for name, _ in net.named_parameters()}


def test_identity_returns_what_it_was_given():
    net = Identity((3, 2))
    x = torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(0))
    assert net.latent_dim == 6
    assert torch.equal(net.encode(x), x.flatten(1))
    assert torch.equal(net.decode(net.encode(x)), x)
    assert list(net.parameters()) == []


@pytest.mark.parametrize("size", [1, 4, 10, 100])
def test_embeddings_come_in_the_loaders_order(size):
    net = small()
    x = torch.randn(10, 3, 2, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(embed(net, batches(x, size)), net.encode(x).detach())


def test_embedding_prepares_raw_samples():
    x = torch.full((2, 3, 2), 255, dtype=torch.uint8)
    assert embed(Identity((3, 2)), batches(x, 2)).tolist() == [[1.0] * 6] * 2


def test_embedding_uses_evaluation_mode_and_puts_every_mode_back():
    net = small()
    net.encoder.append(nn.Dropout(0.5))
    net.encoder.append(nn.BatchNorm1d(4))
    net.train()
    net.encoder[1].eval()
    modes = [module.training for module in net.modules()]
    x = torch.randn(10, 3, 2, generator=torch.Generator().manual_seed(1))
    statistics = net.encoder[-1].running_mean.clone()
    assert torch.equal(embed(net, batches(x, 3)), embed(net, batches(x, 3)))
    assert [module.training for module in net.modules()] == modes
    assert torch.equal(net.encoder[-1].running_mean, statistics)


def test_modes_are_put_back_when_embedding_fails():
    net = small().train()
    with pytest.raises(RuntimeError):
        embed(net, batches(torch.zeros(2, 9), 2))
    assert all(module.training for module in net.modules())


def test_embeddings_are_float32_and_equal_under_autocast_and_carry_no_gradient():
    net = small()
    x = torch.randn(10, 3, 2, generator=torch.Generator().manual_seed(1))
    plain = embed(net, batches(x, 5))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert net.encode(x).dtype == torch.bfloat16
        mixed = embed(net, batches(x, 5))
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, plain)
    assert not plain.requires_grad


def conv():
    torch.manual_seed(0)
    return ConvAutoencoder((8, 8), [4, 8], [3, 3], 4)


@pytest.mark.parametrize(("net", "shape"), [(small(), (3, 2)), (conv(), (8, 8))])
def test_a_changed_embedding_is_the_map_of_the_old_one_and_decodes_to_the_same(net, shape):
    net = copy.deepcopy(net)
    generator = torch.Generator().manual_seed(3)
    x, bias = torch.randn(20, *shape, generator=generator), torch.randn(4, generator=generator)
    net.code_layer.bias.data.copy_(bias)
    matrix, shift = (torch.randn(*size, generator=generator, dtype=torch.float64) for size in ((4, 4), (4,)))
    before = net.encode(x).detach()
    decoded = net.decode(before).detach()
    net.change_code(matrix, shift)
    after = net.encode(x).detach()
    expected = [[sum(matrix[a, b] * (z[b] - shift[b]) for b in range(4)) for a in range(4)] for z in before.double()]
    torch.testing.assert_close(after.double(), torch.tensor(expected, dtype=torch.float64), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(net.decode(after).detach(), decoded, atol=1e-5, rtol=1e-5)
    assert all(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize(("net", "found"), [(small("sigmoid"), "found Sigmoid"), (Identity((2,)), "found Flatten")])
def test_an_embedding_that_is_not_between_linear_layers_cannot_be_changed(net, found):
    with pytest.raises(UserError, match=rf"{found}.*type net\.code_activation=null, or choose net=mlp_autoencoder"):
        net.change_code(torch.eye(net.latent_dim), torch.zeros(net.latent_dim))


@pytest.mark.parametrize("init", ["fan_in_uniform", "glorot_uniform"])
def test_weights_drawn_again_are_drawn_as_at_first_and_from_the_generator_alone(init):
    net, again = small(init=init), small(init=init)
    before = torch.get_rng_state()
    net.initialize(torch.Generator().manual_seed(5))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(5)
    again.initialize()
    first = linear_layers(small(init=init))[0]
    for layer, other in zip(linear_layers(net), linear_layers(again), strict=True):
        assert torch.equal(layer.weight, other.weight)
        assert not layer.bias.any()
    assert not torch.equal(linear_layers(net)[0].weight, first.weight)


def test_the_embedding_layer_is_the_one_whose_output_is_the_embedding():
    net = small(code_activation="sigmoid", dims=(7, 4))
    assert (net.embedding_layer.in_features, net.embedding_layer.out_features) == (7, 4)
    assert net.embedding_layer is linear_layers(net.encoder)[-1]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_preparing_leaves_the_samples_as_they_are(dtype):
    net = MLPAutoencoder((4,), [3], "relu", None, "fan_in_uniform")
    net.set_scaling(np.full(4, 0.5, dtype=np.float32), np.full(4, 2, dtype=np.float32))
    x = torch.arange(8).reshape(2, 4).to(dtype)
    before = x.clone()
    net.prepare(x)
    assert torch.equal(x, before)
