"""Nets that are pretrained layer by layer, and those that are refused."""

from __future__ import annotations

import pytest
import torch
from helpers.layerwise import batch, layerwise, mlp, parameters_of, trained
from torch import nn

from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.nets.conv import ConvAutoencoder
from deepcluster_pl.training.pretraining.layerwise import layer_pairs


def test_a_layer_ends_with_its_activation():
    names = [[[type(m).__name__ for m in layer] for layer in pair] for pair in layer_pairs(mlp())]
    assert names == [
        [["Flatten", "Linear", "ReLU"], ["Linear", "Unflatten"]],
        [["Linear", "ReLU"], ["Linear", "ReLU"]],
        [["Linear"], ["Linear", "ReLU"]],
    ]
    assert len(layer_pairs(mlp(activation="gelu", code_activation="sigmoid"))) == 3


@pytest.mark.parametrize("shape", [(8, 8), (9, 8, 3), (1, 8, 8)])
def test_a_convolutional_net_is_trained_layer_by_layer_too(shape):
    torch.manual_seed(0)
    module = layerwise(ConvAutoencoder(shape, [4, 6], [3, 3], 3), per_layer=1)
    h, _ = batch(shape=shape)
    for layer, mirror in module.layers:
        hidden = layer(h)
        assert mirror(hidden).shape == h.shape
        h = hidden
    assert torch.equal(h, module.net.encode(batch(shape=shape)[0]))
    watch = trained(module, 4, shape)
    pairs = [{id(parameter) for parameter in parameters_of(*pair)} for pair in module.layers]
    assert watch.moved == [*pairs, set().union(*pairs)]


class Lopsided(Autoencoder):
    latent_dim = 2

    def __init__(self, encoder):
        super().__init__((4,))
        self.encoder = encoder
        self.decoder = nn.Sequential(nn.Linear(2, 4))

    def initialize(self, generator=None):
        del generator


@pytest.mark.parametrize(
    "encoder",
    [
        nn.Linear(4, 2),
        nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)),
        nn.Sequential(nn.Flatten()),
        nn.Sequential(),
    ],
)
def test_a_net_without_mirrored_layers_is_refused(encoder):
    with pytest.raises(UserError, match="found Lopsided; type pretrain=reconstruction"):
        layerwise(Lopsided(encoder))
