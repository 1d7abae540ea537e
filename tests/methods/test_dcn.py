"""DCN: the loss in the proportion of the paper, and centers that move by one over their count after each step."""

from __future__ import annotations

import functools

import pytest
import torch

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.functional import squared_distances
from deepcluster_pl.methods.dcn import DCN
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.mlp import MLPAutoencoder

N, K, D, V = 6, 3, 2, 16


def dcn(weight=2.0, initial_count=100, augment=None):
    torch.manual_seed(0)
    net = MLPAutoencoder((4, 4), [8, D], "relu", None, "fan_in_uniform")
    optimizer = functools.partial(torch.optim.SGD, lr=0.1)
    module = DCN(net, "dcn", K, weight, initial_count, optimizer, augment)
    module.logged = {}
    module.log = lambda name, value, **_: module.logged.update({name: value.item()})
    centers = torch.randn(K, D, generator=torch.Generator().manual_seed(1)) / 10
    module.initialize(Initialization(torch.zeros(N, dtype=torch.long), centers))
    return module


def batch(seed=2):
    return torch.rand(N, 4, 4, generator=torch.Generator().manual_seed(seed)), torch.arange(N)


def step(module, *batches):
    """One optimizer step over the batches, as the Trainer takes it."""
    optimizer = module.configure_optimizers()

    def closure():
        optimizer.zero_grad()
        losses = [module.training_step(batch, i) for i, batch in enumerate(batches)]
        (sum(losses) / len(losses)).backward()

    module.optimizer_step(0, 0, optimizer, closure)


def squared(a, b):
    return sum((u - v) ** 2 for u, v in zip(a, b, strict=True))


@pytest.mark.parametrize("weight", [2.0, 0.1])
def test_the_loss_is_the_papers_divided_by_the_values_of_a_sample(weight):
    module = dcn(weight)
    x, index = batch()
    z = module.net.encode(x)
    decoded = module.net.decode(z).flatten(1).tolist()
    error = sum(squared(a, b) for a, b in zip(x.flatten(1).tolist(), decoded, strict=True)) / N
    distance = sum(min(squared(s, mu) for mu in module.centers.tolist()) for s in z.tolist()) / N
    loss = module.training_step((x, index), 0).item()
    assert loss == pytest.approx((error + weight / 2 * distance) / V, rel=1e-5)
    assert module.logged == {
        "fit/mse": pytest.approx(error / V, rel=1e-5),
        "fit/distance": pytest.approx(distance, rel=1e-5),
    }


def test_after_a_step_each_sample_moves_its_center_by_one_over_its_count():
    module = dcn(initial_count=5)
    centers, counts = module.centers.tolist(), module.counts.tolist()
    assert counts == [5, 5, 5]
    step(module, batch())
    z = module.net.encode(batch()[0]).tolist()  # of the net after the step
    nearest = [min(range(K), key=lambda k: squared(sample, centers[k])) for sample in z]
    before = [list(mu) for mu in centers]
    for sample, k in zip(z, nearest, strict=True):
        counts[k] += 1
        centers[k] = [mu + (value - mu) / counts[k] for mu, value in zip(centers[k], sample, strict=True)]
    assert centers != before
    assert module.counts.tolist() == counts
    torch.testing.assert_close(module.centers, torch.tensor(centers))


def test_encoder_and_decoder_are_trained_and_the_loss_never_reaches_the_centers():
    module = dcn()
    before = {name: parameter.clone() for name, parameter in module.named_parameters()}
    assert {name for name in before if not name.startswith("net.")} == set()
    centers = module.centers.clone()
    optimizer = module.configure_optimizers()
    module.training_step(batch(), 0).backward()
    optimizer.step()
    still = {name for name, parameter in module.named_parameters() if torch.equal(parameter, before[name])}
    assert still == set()
    assert torch.equal(module.centers, centers)


def test_batches_whose_gradients_are_accumulated_all_move_the_centers_and_each_only_once():
    module = dcn()
    step(module, batch(2), batch(3))
    assert module.counts.sum() == K * 100 + 2 * N
    step(module, batch(4))
    assert module.counts.sum() == K * 100 + 3 * N


def test_more_initial_samples_move_a_center_less():
    centers = dcn().centers
    moves = []
    for initial_count in (1, 100, 10**6):
        module = dcn(initial_count=initial_count)
        step(module, batch())
        moves.append((module.centers - centers).abs().max().item())
    assert moves[0] > 10 * moves[1] > 100 * moves[2]


def test_centers_and_counts_are_in_the_state_and_fit_a_fresh_module():
    module = dcn()
    step(module, batch())
    other = dcn()
    other.load_state_dict(module.state_dict())
    step(module, batch(3))
    step(other, batch(3))
    assert torch.equal(other.counts, module.counts)
    assert torch.equal(other.centers, module.centers)


def test_probabilities_sum_to_one_and_the_nearest_center_wins():
    module = dcn()
    z = torch.randn(200, D, generator=torch.Generator().manual_seed(3))
    q = module.assign(z)
    torch.testing.assert_close(q.sum(dim=1), torch.ones(200))
    assert torch.equal(q.argmax(dim=1), squared_distances(z, module.centers).argmin(dim=1))
    assert module.make_targets(z, q) is None


def test_a_distorted_batch_is_reconstructed_as_distorted_and_centers_move_by_clean_samples():
    augment = Affine(0.2, 90.0, 0.0, 0.0, "nearest", 0)
    plain, distorting = dcn(), dcn(augment=augment)
    distorting._trainer = type("Place", (), {"current_epoch": 0, "global_rank": 0, "log_every_n_steps": 0})()
    x, index = batch()
    expected = plain.training_step((augment(x, 0, 0, 0), index), 0)
    assert distorting.training_step((x, index), 0).item() == pytest.approx(expected.item(), rel=1e-5)
    distorting._batches.clear()
    centers = distorting.centers.clone()
    step(distorting, (x, index))
    clean = distorting.embed([(x, index)])
    clusters = squared_distances(clean, centers).argmin(dim=1)
    for k in range(K):
        mean = (100 * centers[k] + clean[clusters == k].sum(dim=0)) / (100 + (clusters == k).sum())
        torch.testing.assert_close(distorting.centers[k], mean)


def test_everything_is_float32_under_bf16_autocast():
    module = dcn()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x, index = batch()
        loss = module.training_step((x, index), 0)
        z = module.net.encode(module.net.prepare(x))
    assert (z.dtype, loss.dtype) == (torch.bfloat16, torch.float32)
    distance = squared_distances(z.float(), module.centers).min(dim=1).values.mean()
    assert module.logged["fit/distance"] == pytest.approx(distance.item(), rel=1e-5)


def test_another_initialization_resets_the_counts():
    module = dcn(initial_count=5)
    step(module, batch())
    assert int(module.counts.sum()) == 5 * K + N
    module.initialize(Initialization(torch.zeros(N, dtype=torch.long), torch.ones(K, D)))
    assert module.counts.tolist() == [5] * K
    assert torch.equal(module.centers, torch.ones(K, D))
