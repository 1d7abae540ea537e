"""Layerwise pretraining: the right step in every phase, and the weights that move."""

from __future__ import annotations

import functools
import itertools
import types

import numpy as np
import pytest
import torch
from helpers.layerwise import DIMS, SGD, batch, layerwise, mlp, parameters_of, trained
from torch import nn

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.errors import UserError
from deepcluster_pl.training.pretraining.layerwise import drop
from deepcluster_pl.training.pretraining.reconstruction import Reconstruction
from deepcluster_pl.utils.random import generator_at


def at_epoch(module, epoch):
    """Return the module as if a Trainer had reached this epoch."""
    module.log = lambda *args, **kwargs: None
    module._trainer = types.SimpleNamespace(current_epoch=epoch, global_rank=0)
    return module


# ---- one step


def naive_step(weights, x, phase, masks, share, rate):
    """A denoising autoencoder of two layers in NumPy, its gradient by hand: the new (W, b, V, c) of one phase.

    `weights` are pairs (W, b) of all linear layers from the input to the reconstruction.
    """
    h = x
    for w, b in weights[:phase]:
        h = np.maximum(h @ w.T + b, 0)
    (w, b), (v, c) = weights[phase], weights[len(weights) - 1 - phase]
    corrupted = h * masks[0] / (1 - share)
    before = corrupted @ w.T + b
    is_code, is_input = phase == len(DIMS) - 1, phase == 0
    hidden = before if is_code else np.maximum(before, 0)
    dropped = hidden * masks[1] / (1 - share)
    above = dropped @ v.T + c
    out = above if is_input else np.maximum(above, 0)
    d_above = 2 * (out - h) / h.size * (1 if is_input else above > 0)
    d_before = d_above @ v * masks[1] / (1 - share) * (1 if is_code else before > 0)
    return (
        w - rate * d_before.T @ corrupted, b - rate * d_before.sum(0),
        v - rate * d_above.T @ dropped, c - rate * d_above.sum(0),
    )  # fmt: skip


@pytest.mark.parametrize("phase", range(len(DIMS)))
def test_a_step_is_that_of_a_hand_written_denoising_autoencoder_with_the_same_masks(phase):
    module = at_epoch(layerwise(), 2 * phase + 1)
    linears = [layer for layer in module.net.modules() if isinstance(layer, nn.Linear)]
    for layer in linears:
        nn.init.uniform_(layer.bias, -0.1, 0.1)
    x, index = batch()
    generator = generator_at(5, 2 * phase + 1, 4, 0, 1)
    widths = [8, *DIMS]
    masks = [torch.rand(9, *((4, 2) if i == 0 else (widths[i],)), generator=generator) for i in (phase, phase + 1)]
    kept = [(mask >= 0.3).flatten(1).numpy() for mask in masks]
    assert 0 < kept[0].mean() < 1
    weights = [(layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()) for layer in linears]
    expected = naive_step(weights, x.flatten(1).double().numpy(), phase, kept, 0.3, 0.1)
    optimizer = module.configure_optimizers()
    module.training_step((x, index), 4).backward()
    optimizer.step()
    layer, mirror = linears[phase], linears[len(linears) - 1 - phase]
    for parameter, value in zip((layer.weight, layer.bias, mirror.weight, mirror.bias), expected, strict=True):
        np.testing.assert_allclose(parameter.detach().numpy(), value, atol=1e-6)
    assert not np.allclose(expected[0], weights[phase][0], atol=1e-5)


def test_the_last_phase_is_plain_reconstruction():
    module = at_epoch(layerwise(), 6)
    plain = at_epoch(Reconstruction(module.net, SGD, None), 6)
    assert torch.equal(module.training_step(batch(), 0), plain.training_step(batch(), 0))


def test_dropout_takes_its_share_and_keeps_the_mean():
    h = torch.full((300, 200), 2.0)
    kept = torch.rand(h.shape, generator=torch.Generator().manual_seed(0)) >= 0.2
    dropped = drop(h, kept, 0.2)
    assert set(dropped.unique().tolist()) == {0.0, 2.5}
    assert (dropped == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert torch.equal(drop(h, torch.ones_like(h, dtype=torch.bool), 0.0), h)


def test_masks_depend_on_seed_epoch_and_batch_and_on_nothing_else():
    def error(seed=5, epoch=0, batch_idx=0):
        module = at_epoch(layerwise(seed=seed), epoch)
        torch.rand(next(calls))  # the global generator stands elsewhere at every call
        return module.training_step(batch(), batch_idx).item()

    calls = itertools.count(1)

    assert error() == error()
    assert len({error(), error(seed=6), error(epoch=1), error(batch_idx=1)}) == 4


def test_a_distorted_batch_is_input_and_target_as_distorted():
    augment = Affine(0.2, 90.0, 0.0, 0.0, "nearest", 0)
    x, index = batch()
    for epoch in (0, 2, 6):
        clean, distorting = (at_epoch(layerwise(augment=choice), epoch) for choice in (None, augment))
        expected = clean.training_step((augment(x, epoch, 7, 0), index), 7)
        assert distorting.training_step((x, index), 7).item() == pytest.approx(expected.item(), rel=1e-5)
        assert not torch.isclose(clean.training_step((x, index), 7), expected)


def test_held_out_samples_are_reconstructed_by_the_whole_net_in_every_phase():
    module = at_epoch(layerwise(), 0)
    logged = {}
    module.log = lambda name, value, **_: logged.update({name: value.item()})
    x, index = batch()
    module.validation_step((x, index), 0)
    expected = ((module.net.decode(module.net.encode(x)) - x) ** 2).mean().item()
    assert logged == {"pretrain/mse_holdout": pytest.approx(expected)}


def test_the_error_is_float32_under_bf16_autocast_and_every_trained_weight_has_a_gradient():
    module = at_epoch(layerwise(), 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = module.training_step(batch(), 0)
    loss.backward()
    assert loss.dtype == torch.float32
    assert all(parameter.grad is not None for parameter in parameters_of(*module.layers[1]))


# ---- phases


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize(
    "optimizer",
    [
        functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.1),
        functools.partial(torch.optim.Adam, lr=0.01, weight_decay=0.1, fused=True),
        functools.partial(torch.optim.AdamW, lr=0.01, weight_decay=0.1),
    ],
)
def test_each_phase_moves_its_layer_and_the_mirror_and_nothing_else(optimizer, accumulate):
    module = layerwise(optimizer=optimizer)
    watch = trained(module, 8, accumulate_grad_batches=accumulate)
    pairs = [{id(parameter) for parameter in parameters_of(*pair)} for pair in module.layers]
    assert watch.moved[:6] == [pairs[0], pairs[0], pairs[1], pairs[1], pairs[2], pairs[2]]
    assert watch.moved[6:] == [set().union(*pairs)] * 2
    assert set().union(*pairs) == {id(parameter) for parameter in module.net.parameters()}


def test_a_phase_begins_with_a_fresh_optimizer_state_at_the_full_step_size():
    adam = functools.partial(torch.optim.Adam, lr=0.01)
    watch = trained(layerwise(optimizer=adam, per_layer=3, decay_every=1), 12)
    assert watch.rates == pytest.approx([0.01, 0.001, 0.0001] * 4)
    assert watch.states == [4] * 9 + [12] * 3
    module = layerwise(optimizer=adam)
    trained(module, 7)
    steps = {int(state["step"]) for state in module.optimizers(use_pl_optimizer=False).state.values()}
    assert steps == {4}


def test_phases_follow_the_epoch_alone():
    assert [layerwise().phase(epoch) for epoch in range(9)] == [0, 0, 1, 1, 2, 2, 3, 3, 3]


def test_every_phase_lowers_its_error():
    module = layerwise(mlp(activation="tanh"), optimizer=functools.partial(torch.optim.Adam, lr=0.01), dropout=0.1)
    x, index = batch(32)
    for phase in range(4):
        optimizer = module.configure_optimizers()
        losses = []
        for step in range(60):
            loss = at_epoch(module, 2 * phase).training_step((x, index), step)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert np.mean(losses[-10:]) < 0.95 * np.mean(losses[:10])


@pytest.mark.parametrize(
    ("epochs", "per_layer", "advice"),
    [
        (6, 2, "pretrain.max_epochs=7 or more, or pretrain.module.epochs_per_layer=1 or fewer"),
        (10, 40, "pretrain.max_epochs=121 or more, or pretrain.module.epochs_per_layer=3 or fewer"),
        (3, 1, "pretrain.max_epochs=4 or more"),
    ],
)
def test_no_epoch_for_the_whole_net_is_refused_with_what_to_type(epochs, per_layer, advice):
    with pytest.raises(UserError, match="leaves no epoch to train all layers together: 3 layers") as error:
        trained(layerwise(per_layer=per_layer), epochs)
    assert str(error.value).endswith(f"type {advice}")
    trained(layerwise(per_layer=1), 4)
