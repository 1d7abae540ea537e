"""DKM: the loss in the proportion of the paper, the weights that are trained, a temperature set by the step."""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace

import pytest
import torch

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.functional import squared_distances
from deepcluster_pl.methods.dkm import DKM
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.mlp import MLPAutoencoder

N, K, D, V = 6, 3, 2, 16


def dkm(weight=1.0, inverse_temperature=1000.0, anneal_every=None, anneal_terms=40, augment=None, step=0):
    torch.manual_seed(0)
    net = MLPAutoencoder((4, 4), [8, D], "relu", None, "fan_in_uniform")
    optimizer = functools.partial(torch.optim.SGD, lr=0.1)
    module = DKM(net, "dkm", K, weight, inverse_temperature, anneal_every, anneal_terms, optimizer, augment)
    module.logged = {}
    module.log = lambda name, value, **_: module.logged.update({name: value.item()})
    module._trainer = SimpleNamespace(global_step=step, current_epoch=0, global_rank=0, log_every_n_steps=1)
    centers = torch.randn(K, D, generator=torch.Generator().manual_seed(1)) / 10
    module.initialize(Initialization(torch.zeros(N, dtype=torch.long), centers))
    return module


def batch():
    return torch.rand(N, 4, 4, generator=torch.Generator().manual_seed(2)), torch.arange(N)


def squared(a, b):
    return sum((u - v) ** 2 for u, v in zip(a, b, strict=True))


def naive_terms(module, x, a):
    """Compute both terms of the paper in Python numbers: summed over values, averaged over samples."""
    z = module.net.encode(x)
    decoded = module.net.decode(z).flatten(1).tolist()
    error = sum(squared(a, b) for a, b in zip(x.flatten(1).tolist(), decoded, strict=True)) / N
    distance = 0.0
    for sample in z.tolist():
        distances = [squared(sample, mu) for mu in module.centers.tolist()]
        weights = [math.exp(-a * (d - min(distances))) for d in distances]
        distance += sum(d * w for d, w in zip(distances, weights, strict=True)) / sum(weights) / N
    return error, distance


@pytest.mark.parametrize(("weight", "a"), [(1.0, 1000.0), (1.0, 0.1), (0.3, 5.0)])
def test_the_loss_is_the_papers_divided_by_the_values_of_a_sample(weight, a):
    module = dkm(weight, a)
    x, index = batch()
    error, distance = naive_terms(module, x, a)
    assert module.training_step((x, index), 0).item() == pytest.approx((error + weight * distance) / V, rel=1e-5)
    assert module.logged == {
        "fit/mse": pytest.approx(error / V, rel=1e-5),
        "fit/distance": pytest.approx(distance, rel=1e-4),
    }


def test_encoder_decoder_and_centers_all_move():
    module = dkm(inverse_temperature=0.1)
    optimizer = module.configure_optimizers()
    before = {name: parameter.clone() for name, parameter in module.named_parameters()}
    module.training_step(batch(), 0).backward()
    optimizer.step()
    still = {name for name, parameter in module.named_parameters() if torch.equal(parameter, before[name])}
    assert "centers" in before
    assert still == set()


def test_the_inverse_temperature_follows_from_the_step_and_ends_at_the_last_term():
    assert {dkm().temperature_at(step) for step in (0, 7, 10**6)} == {1000.0}
    module = dkm(inverse_temperature=0.1, anneal_every=5, anneal_terms=3)
    second = 0.1 * 2 ** (1 / math.log(2) ** 2)
    third = second * 2 ** (1 / math.log(3) ** 2)
    found = [module.temperature_at(step) for step in (0, 4, 5, 9, 10, 15, 10**6)]
    assert found == pytest.approx([0.1, 0.1, second, second, third, third, third])


def test_a_step_takes_the_temperature_of_its_place_in_training():
    x, index = batch()
    for step in (0, 5, 12):
        module = dkm(inverse_temperature=0.1, anneal_every=5, step=step)
        error, distance = naive_terms(module, x, module.temperature_at(step))
        assert module.training_step((x, index), 0).item() == pytest.approx((error + distance) / V, rel=1e-5)


def test_probabilities_sum_to_one_the_nearest_center_wins_and_no_temperature_changes_them():
    hard, soft = dkm(), dkm(inverse_temperature=0.1, anneal_every=5)
    z = torch.randn(200, D, generator=torch.Generator().manual_seed(3))
    q = hard.assign(z)
    torch.testing.assert_close(q.sum(dim=1), torch.ones(200))
    assert torch.equal(q.argmax(dim=1), squared_distances(z, hard.centers).argmin(dim=1))
    assert torch.equal(soft.assign(z), q)
    assert hard.make_targets(z, q) is None


def test_a_distorted_batch_is_reconstructed_as_distorted_and_embedding_stays_clean():
    augment = Affine(0.2, 90.0, 0.0, 0.0, "nearest", 0)
    plain, distorting = dkm(), dkm(augment=augment)
    x, index = batch()
    expected = plain.training_step((augment(x, 0, 7, 0), index), 7)
    assert distorting.training_step((x, index), 7).item() == pytest.approx(expected.item(), rel=1e-5)
    assert not torch.isclose(distorting.training_step((x, index), 8), expected)
    assert torch.equal(distorting.embed([(x, index)]), plain.embed([(x, index)]))


def test_everything_is_float32_under_bf16_autocast():
    module = dkm()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x, index = batch()
        loss = module.training_step((x, index), 0)
        z = module.net.encode(module.net.prepare(x))
    assert (z.dtype, loss.dtype) == (torch.bfloat16, torch.float32)
    distance = squared_distances(z.float(), module.centers).min(dim=1).values.mean()
    assert module.logged["fit/distance"] == pytest.approx(distance.item(), rel=1e-5)
