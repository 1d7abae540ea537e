"""The convolutional autoencoder has ConvDEC's sizes, gives back images of every size, and refuses other samples."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.conv import ConvAutoencoder


def conv(shape, channels=(32, 64, 128), kernels=(5, 5, 3), latent=10):
    torch.manual_seed(0)
    return ConvAutoencoder(tuple(shape), list(channels), list(kernels), latent)


def sizes(net, x):
    found = []
    for layer in net.encoder:
        x = layer(x)
        if isinstance(layer, nn.Conv2d):
            found.append(tuple(x.shape[1:]))
    return found


def test_digits_shrink_as_in_convdec():
    net = conv((28, 28))
    assert sizes(net, torch.zeros(1, 28, 28)) == [(32, 14, 14), (64, 7, 7), (128, 3, 3)]
    encoder = 32 * 25 + 32 + 64 * 32 * 25 + 64 + 128 * 64 * 9 + 128 + 1152 * 10 + 10
    decoder = 10 * 1152 + 1152 + 128 * 64 * 9 + 64 + 64 * 32 * 25 + 32 + 32 * 25 + 1
    assert sum(parameter.numel() for parameter in net.encoder.parameters()) == encoder
    assert sum(parameter.numel() for parameter in net.decoder.parameters()) == decoder


def test_sides_that_divide_evenly_are_halved_three_times():
    assert sizes(conv((32, 32)), torch.zeros(1, 32, 32)) == [(32, 16, 16), (64, 8, 8), (128, 4, 4)]
    assert sizes(conv((16, 28)), torch.zeros(1, 16, 28)) == [(32, 8, 14), (64, 4, 7), (128, 2, 3)]


@pytest.mark.parametrize("side", range(9, 42))
def test_an_image_of_any_size_comes_back_in_its_size(side):
    shape = (side, 3 * side // 2)
    net = conv(shape, channels=(2, 3, 4))
    x = torch.rand(2, *shape)
    assert net.decode(net.encode(net.prepare(x))).shape == x.shape
    assert net.encode(x).shape == (2, net.latent_dim)


@pytest.mark.parametrize("shape", [(8, 8), (12, 10, 3), (12, 10, 1), (3, 12, 10), (1, 12, 10)])
def test_every_layout_keeps_its_axes(shape):
    net = conv(shape, channels=(2, 3, 4))
    assert net.decode(net.encode(torch.rand(5, *shape))).shape == (5, *shape)


def test_layouts_of_the_same_picture_have_the_same_embedding():
    first, last = conv((3, 12, 10)), conv((12, 10, 3))
    last.load_state_dict(first.state_dict() | {"shift": last.shift, "factor": last.factor})
    x = torch.rand(4, 3, 12, 10)
    torch.testing.assert_close(first.encode(x), last.encode(x.movedim(1, -1)))
    torch.testing.assert_close(first.decode(first.encode(x)).movedim(1, -1), last.decode(last.encode(x.movedim(1, -1))))


def test_a_convolution_agrees_with_plain_loops():
    net = conv((8, 8), channels=(2,), kernels=(3,), latent=1)
    layer, x = net.encoder[1], torch.rand(1, 8, 8)
    padded = nn.functional.pad(x, (1, 1, 1, 1))[0].tolist()
    weight, bias = layer.weight.tolist(), layer.bias.tolist()
    found = layer(net.encoder[0](x))[0]
    for c in range(2):
        for row in range(4):
            for column in range(4):
                value = bias[c] + sum(
                    weight[c][0][i][j] * padded[2 * row + i][2 * column + j] for i in range(3) for j in range(3)
                )
                assert found[c, row, column].item() == pytest.approx(value, abs=1e-5)


def test_the_embedding_and_the_reconstruction_are_linear_and_an_embedding_does_not_depend_on_its_batch():
    net = conv((8, 8), channels=(2, 3), kernels=(3, 3), latent=4)
    assert isinstance(net.encoder[-1], nn.Linear)
    assert isinstance(net.decoder[-2], nn.ConvTranspose2d)
    x = torch.rand(40, 8, 8)
    torch.testing.assert_close(
        torch.cat([net.encode(part) for part in x.split(7)]), net.encode(x), atol=1e-5, rtol=1e-5
    )


def test_first_weights_are_glorots_and_biases_zero():
    net = conv((28, 28))
    kernel = net.encoder[3].weight
    bound = (6 / (25 * (32 + 64))) ** 0.5
    assert kernel.abs().max() <= bound
    assert kernel.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert all((layer.bias == 0).all() for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.Linear))


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((784,), {}, r"reads images .* found samples of 784; type net=mlp_autoencoder"),
        ((4, 4), {"kernels": (5, 5, 5)}, r"too deep for images of 4x4; type net=mlp_autoencoder, or net.channels"),
        ((28, 28), {"kernels": (5, 5)}, "expected lists of one length"),
        ((28, 28), {"kernels": (5, 4, 3)}, "kernels odd"),
        ((28, 28), {"channels": (), "kernels": ()}, "expected lists of one length"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_type(shape, options, message):
    with pytest.raises(UserError, match=message):
        conv(shape, **options)


def test_weights_drawn_again_come_from_the_generator_alone():
    net, again = conv((8, 8), channels=(2, 3), kernels=(3, 3), latent=4), conv((8, 8), (2, 3), (3, 3), 4)
    before = torch.get_rng_state()
    net.initialize(torch.Generator().manual_seed(5))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(5)
    again.initialize()
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
    assert net.embedding_layer is net.encoder[-1]
