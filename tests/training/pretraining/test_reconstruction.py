"""Reconstruction: the right error on prepared samples, and a smaller one after training."""

from __future__ import annotations

import functools

import pytest
import torch

from deepcluster_pl.nets.mlp import MLPAutoencoder
from deepcluster_pl.training.pretraining.reconstruction import Reconstruction


def reconstruction():
    torch.manual_seed(0)
    net = MLPAutoencoder((4, 4), [8, 3], "relu", None, "glorot_uniform")
    module = Reconstruction(net, functools.partial(torch.optim.Adam, lr=1e-2), None)
    module.log = lambda *args, **kwargs: None
    return module


def test_the_error_is_the_mean_over_all_values_of_prepared_bytes():
    module = reconstruction()
    x = torch.randint(0, 256, (5, 4, 4), dtype=torch.uint8)
    loss = module.training_step((x, torch.arange(5)), 0)
    prepared = x.double() / 255
    decoded = module.net.decode(module.net.encode(prepared.float())).double()
    total = sum((prepared[i, r, c] - decoded[i, r, c]) ** 2 for i in range(5) for r in range(4) for c in range(4))
    assert loss.item() == pytest.approx(total.item() / 80, rel=1e-5)


def test_training_lowers_the_error():
    module = reconstruction()
    batch = (torch.rand(32, 4, 4), torch.arange(32))
    optimizer = module.configure_optimizers()
    losses = []
    for _ in range(30):
        loss = module.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_every_weight_of_the_net_is_trained():
    module = reconstruction()
    trained = {id(p) for group in module.configure_optimizers().param_groups for p in group["params"]}
    assert trained == {id(p) for p in module.net.parameters()}
