"""IDEC: both losses in their published proportion, the weights that are trained, clean targets of distorted batches."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.methods.idec import IDEC
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.mlp import MLPAutoencoder

N, K = 5, 3


def idec(gamma=0.1, augment=None):
    torch.manual_seed(0)
    net = MLPAutoencoder((4, 4), [8, 2], "relu", None, "fan_in_uniform")
    module = IDEC(net, "idec", K, 1.0, gamma, functools.partial(torch.optim.SGD, lr=0.1), augment)
    module.logged = {}
    module.log = lambda name, value, **_: module.logged.update({name: value.item()})
    module.initialize(Initialization(torch.zeros(N, dtype=torch.long), torch.randn(K, 2)))
    module.targets = torch.softmax(torch.randn(N, K), dim=1)
    return module


def batch():
    return torch.rand(N, 4, 4), torch.tensor([3, 0, 4, 1, 2])


def naive_loss(module, x, index):
    """Compute both losses value by value, in Python numbers."""
    z = module.net.encode(x).detach()
    decoded = module.net.decode(z).detach()
    squares = [float(x[i, r, c] - decoded[i, r, c]) ** 2 for i in range(N) for r in range(4) for c in range(4)]
    divergence = 0.0
    for i in range(N):
        weights = [
            1 / (1 + sum(float(a - b) ** 2 for a, b in zip(z[i], mu, strict=True))) for mu in module.centers.detach()
        ]
        for j in range(K):
            p, q = float(module.targets[index[i], j]), weights[j] / sum(weights)
            divergence += p * np.log(p / q)
    return sum(squares) / len(squares), divergence / N


@pytest.mark.parametrize("gamma", [0.1, 2.0])
def test_the_loss_is_the_mean_squared_error_plus_gamma_times_the_divergence(gamma):
    module = idec(gamma)
    x, index = batch()
    mse, kl = naive_loss(module, x, index)
    assert module.training_step((x, index), 0).item() == pytest.approx(mse + gamma * kl, rel=1e-5)
    assert module.logged == {"fit/mse": pytest.approx(mse, rel=1e-5), "fit/kl": pytest.approx(kl, rel=1e-5)}


def test_encoder_decoder_and_centers_all_move():
    module = idec()
    optimizer = module.configure_optimizers()
    before = {name: parameter.clone() for name, parameter in module.named_parameters()}
    module.training_step(batch(), 0).backward()
    optimizer.step()
    still = {name for name, parameter in module.named_parameters() if torch.equal(parameter, before[name])}
    assert still == set()


def test_a_distorted_batch_is_reconstructed_as_distorted_and_embedding_stays_clean():
    augment = Affine(0.2, 90.0, 0.0, 0.0, "nearest", 0)
    plain, distorting = idec(), idec(augment=augment)
    x, index = batch()
    expected = plain.training_step((augment(x, 0, 7, 0), index), 7)
    assert distorting.training_step((x, index), 7).item() == pytest.approx(expected.item(), rel=1e-5)
    assert not torch.isclose(distorting.training_step((x, index), 8), expected)
    loader = [(x, index)]
    assert torch.equal(distorting.embed(loader), plain.embed(loader))


def test_the_divergence_is_float32_under_bf16_autocast():
    module = idec()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x, index = batch()
        loss = module.training_step((x, index), 0)
        z = module.net.encode(module.net.prepare(x))
    assert (z.dtype, loss.dtype) == (torch.bfloat16, torch.float32)
    p, q = module.targets[index].tolist(), module.assign(z.float()).tolist()
    divergence = sum(a * math.log(a / b) for u, v in zip(p, q, strict=True) for a, b in zip(u, v, strict=True)) / N
    assert module.logged["fit/kl"] == pytest.approx(divergence, rel=1e-5)


def test_without_targets_the_error_names_the_missing_callback():
    module = idec()
    module.targets = None
    with pytest.raises(RuntimeError, match="TargetRefresh"):
        module.training_step(batch(), 0)
