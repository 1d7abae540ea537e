"""DEC: the loss, and the weights that are trained."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

from deepcluster_pl.methods import base
from deepcluster_pl.methods.dec import DEC
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.mlp import MLPAutoencoder


def dec(input_shape=(6,), dims=(8, 3), n_clusters=4, **optimizer):
    torch.manual_seed(0)
    net = MLPAutoencoder(input_shape, list(dims), "relu", None, "fan_in_uniform")
    make = functools.partial(torch.optim.SGD, **({"lr": 0.1} | optimizer))
    module = DEC(net, "dec", n_clusters, 1.0, make, None)
    module.log = lambda *args, **kwargs: None
    module.initialize(Initialization(torch.zeros(5, dtype=torch.long), torch.randn(n_clusters, dims[-1])))
    return module


def naive_kl(p, q):
    total = 0.0
    for p_row, q_row in zip(p.tolist(), q.tolist(), strict=True):
        total += sum(a * (np.log(a) - np.log(b)) for a, b in zip(p_row, q_row, strict=True) if a > 0)
    return total / len(p)


def test_mnist_trains_exactly_1_665_110_weights():
    module = dec((28, 28), (500, 500, 2000, 10), 10)
    trained = [parameter for group in module.configure_optimizers().param_groups for parameter in group["params"]]
    assert sum(parameter.numel() for parameter in trained) == 1_665_110
    assert sum(parameter.numel() for parameter in module.net.parameters()) == 3_330_794


def test_centers_are_trained_with_the_encoder_and_the_decoder_is_not():
    module = dec()
    optimizer = module.configure_optimizers()
    before = {name: parameter.clone() for name, parameter in module.named_parameters()}
    module.targets = torch.softmax(torch.randn(5, 4), dim=1)
    module.training_step((torch.randn(5, 6), torch.arange(5)), 0).backward()
    optimizer.step()
    moved = {name for name, parameter in module.named_parameters() if not torch.equal(parameter, before[name])}
    assert moved == {name for name in before if "decoder" not in name}
    assert "centers" in moved


def test_loss_is_summed_over_clusters_and_averaged_over_the_batch():
    module = dec()
    x = torch.randn(5, 6)
    module.targets = torch.softmax(torch.randn(5, 4), dim=1)
    q = module.assign(module.net.encode(module.net.prepare(x))).detach()
    loss = module.training_step((x, torch.arange(5)), 0)
    assert loss.item() == pytest.approx(naive_kl(module.targets, q), rel=1e-5)


def test_targets_are_looked_up_by_index_whatever_the_order_of_the_batch():
    module = dec()
    x = torch.randn(5, 6)
    module.targets = torch.softmax(torch.randn(5, 4), dim=1)
    order = torch.tensor([3, 0, 4, 1, 2])
    straight = module.training_step((x, torch.arange(5)), 0)
    shuffled = module.training_step((x[order], order), 0)
    wrong = module.training_step((x[order], torch.arange(5)), 0)
    assert shuffled.item() == pytest.approx(straight.item(), rel=1e-6)
    assert abs(wrong.item() - straight.item()) > 1e-3


def test_loss_is_zero_without_gradient_where_q_is_already_p():
    module = dec()
    x = torch.randn(5, 6)
    module.targets = module.assign(module.net.encode(module.net.prepare(x))).detach()
    loss = module.training_step((x, torch.arange(5)), 0)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert module.centers.grad.abs().max() < 1e-6


def test_loss_is_float32_under_bf16_autocast():
    module = dec()
    module.targets = torch.softmax(torch.randn(5, 4), dim=1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x = torch.randn(5, 6)
        loss = module.training_step((x, torch.arange(5)), 0)
        z = module.net.encode(module.net.prepare(x))
    assert (z.dtype, loss.dtype) == (torch.bfloat16, torch.float32)
    q = module.assign(z.float()).detach()
    assert loss.item() == pytest.approx(naive_kl(module.targets, q), rel=1e-5)


def test_a_sample_sure_of_its_cluster_gives_no_nan():
    module = dec()
    module.centers.data.mul_(1e8)
    x = torch.randn(5, 6)
    module.targets = torch.eye(4)[torch.zeros(5, dtype=torch.long)]
    loss = module.training_step((x, torch.arange(5)), 0)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(module.centers.grad).all()


def test_without_targets_the_error_names_the_missing_callback():
    with pytest.raises(RuntimeError, match="TargetRefresh"):
        dec().training_step((torch.randn(5, 6), torch.arange(5)), 0)


def test_targets_never_go_into_the_weights():
    module = dec()
    module.targets = torch.ones(5, 4)
    assert "targets" not in module.state_dict()


@pytest.mark.parametrize("rows", [1, 4, 5, 100])
def test_embeddings_assigned_in_slices_get_the_same_probabilities(rows, monkeypatch):
    module = dec()
    z = torch.randn(10, module.net.latent_dim)
    monkeypatch.setattr(base, "_ROWS_AT_ONCE", rows)
    probabilities = module.assign_all(z)
    assert not probabilities.requires_grad
    torch.testing.assert_close(probabilities, module.assign(z).detach(), atol=0, rtol=0)
