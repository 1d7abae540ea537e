"""Convolutions as matrix products agree with PyTorch's, layer by layer and for a whole encoder in float64."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from deepcluster_pl.nets.conv_encoder import ConvEncoder
from deepcluster_pl.nets.matrix_convolutions import MatrixConvolution, as_matrices
from deepcluster_pl.utils.image_layout import to_planes


def trained(module):
    """Give the normalizations of a module weights and means that are not those of a fresh one."""
    torch.manual_seed(0)
    for norm in (layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)):
        for tensor in (norm.weight, norm.bias, norm.running_mean):
            nn.init.normal_(tensor)
        nn.init.uniform_(norm.running_var, 0.5, 2)
    return module.double().eval().requires_grad_(False)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", [(1, 5), (4, 7), (8, 8)])
def test_a_convolution_and_its_normalization_agree_with_the_layers(stride, shape):
    layers = trained(nn.Sequential(nn.Conv2d(3, 4, 3, stride, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU()))
    x = torch.randn(5, 3, *shape, dtype=torch.float64)
    found = MatrixConvolution.of(layers[0], layers[1])(x.permute(0, 2, 3, 1).contiguous())
    torch.testing.assert_close(found.permute(0, 3, 1, 2), layers(x), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", [(9, 8), (1, 40, 33), (20, 41, 3), (1, 5)])
def test_an_encoder_in_float64_agrees_with_its_layers_whoever_else_is_in_the_batch(shape):
    net = trained(ConvEncoder(shape, [4, 6, 8], 16))
    assert len(as_matrices(net.encoder)) < len(net.encoder)
    assert net.encode(torch.empty(0, *shape, dtype=torch.float64)).shape == (0, 8)
    x = torch.rand(11, *shape, dtype=torch.float64)
    z = net.encode(x)
    torch.testing.assert_close(z, net._pooled(to_planes(x, net.layout)), rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(torch.cat([net.encode(one) for one in x.split(1)]), z, rtol=1e-12, atol=1e-13)
