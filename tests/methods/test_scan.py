"""SCAN: the loss of every head, the head that predicts, the weights that are trained, the neighbors drawn."""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.errors import UserError
from deepcluster_pl.functional import nearest_neighbors, squared_distances
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.methods.scan import SCAN
from deepcluster_pl.nets.mlp import MLPAutoencoder

N, K, HEADS = 12, 3, 4


def scan(augment=None, entropy_weight=5.0, self_label_from=None, confidence=0.9, step=0, seed=0, sizes="even"):
    torch.manual_seed(0)
    net = MLPAutoencoder((4, 4), [8, 2], "relu", None, "fan_in_uniform")
    optimizer = functools.partial(torch.optim.SGD, lr=0.1)
    module = SCAN(
        net, "scan", K, 2, HEADS, entropy_weight, self_label_from, confidence, optimizer, augment, seed, sizes
    )
    module.logged = {}
    module.log = lambda name, value, **_: module.logged.update({name: value.item()})
    x = torch.rand(N, 4, 4, generator=torch.Generator().manual_seed(1))
    module._trainer = SimpleNamespace(
        log_every_n_steps=1,
        datamodule=SimpleNamespace(
            data=SimpleNamespace(
                samples=lambda name, rows: {"fit": x}[name][rows.long()], part=lambda name: SimpleNamespace(n_copies=0)
            )
        ),
        current_epoch=0,
        global_rank=0,
        global_step=step,
    )
    module.initialize(
        Initialization(torch.zeros(N, dtype=torch.long), torch.randn(K, 2, generator=torch.Generator().manual_seed(2)))
    )
    module.targets = module.make_targets(module.net.encode(x).detach(), torch.zeros(N, K))
    return module, x


def naive_losses(module, x, partners):
    """Compute the losses head by head and pair by pair, in Python numbers."""
    losses = []
    p, other = (module.log_probabilities(module.net.encode(each)).exp().tolist() for each in (x, partners))
    for h in range(HEADS):
        agreement = sum(-math.log(sum(a * b for a, b in zip(p[h][i], other[h][i], strict=True))) for i in range(len(x)))
        mean = [sum(row[k] for row in p[h]) / len(x) for k in range(K)]
        losses.append(agreement / len(x) + module.entropy_weight * sum(m * math.log(m) for m in mean))
    return losses


@pytest.mark.parametrize(
    ("sizes", "counts", "expected"),
    [
        ("auto", [10, 1, 1], [11 / 15, 2 / 15, 2 / 15]),
        ("auto", [5, 4, 3], None),
        ("start", [5, 4, 3], [6 / 15, 5 / 15, 4 / 15]),
        ("even", [10, 1, 1], None),
    ],
)
def test_clusters_are_asked_for_the_sizes_of_an_uneven_start(sizes, counts, expected):
    module, x = scan(sizes=sizes)
    labels = torch.repeat_interleave(torch.arange(K), torch.tensor(counts))
    module.initialize(Initialization(labels, module.centers))
    assert module.shares is None if expected is None else module.shares.tolist() == pytest.approx(expected)
    assert "shares" not in module.state_dict()
    batch = torch.cat([x[:6], x[6:]]), torch.arange(6)
    entropy = module.loss(batch, {})["loss"]
    module.shares = None
    assert bool(module.loss(batch, {})["loss"] == entropy) == (expected is None)


def test_uneven_groups_are_found_by_neighbors_whatever_the_start_and_survive_a_checkpoint():
    generator = torch.Generator().manual_seed(0)
    groups = [torch.randn(n, 2, generator=generator) + 20 * k for k, n in enumerate((180, 12, 11))]
    z, even = torch.cat(groups), torch.arange(203) % K
    module, _ = scan(sizes="auto")
    module.make_targets(z, F.one_hot(even, K).float())
    expected = [0.8 * n / 203 + 0.2 / 3 for n in (180, 12, 11)]
    assert sorted(module.shares.tolist(), reverse=True) == pytest.approx(expected)
    assert module.asks_for_uneven_sizes
    assert module.describe_sizes().startswith("asked for groups of 11% to 78% of the samples")
    for head in module.log_probabilities(z).argmax(dim=-1):
        assert sorted(head.bincount().tolist()) == [11, 12, 180]
    checkpoint: dict[str, object] = {}
    module.on_save_checkpoint(checkpoint)
    resumed, _ = scan(sizes="auto", step=5)
    resumed.make_targets(z, F.one_hot(even, K).float())  # looked at once, at the beginning
    assert not torch.equal(resumed.shares, module.shares)
    resumed.on_load_checkpoint(checkpoint)
    assert torch.equal(resumed.shares, module.shares)
    other, _ = scan(sizes="even")
    other.make_targets(z, F.one_hot(even, K).float())
    assert other.shares is None


def partners_of(module, index, batch_idx):
    which = module.draw(len(index), (module.current_epoch, batch_idx, module.global_rank))["neighbor"]
    return module.targets[index].gather(1, which)[:, 0].tolist()


def test_the_first_head_begins_with_the_nearest_center_and_others_do_not():
    module, _ = scan()
    z = torch.randn(200, 2, generator=torch.Generator().manual_seed(3))
    probabilities = module.log_probabilities(z).exp()
    distances = squared_distances(z, module.centers)
    assert torch.equal(module.assign(z).argmax(dim=1), distances.argmin(dim=1))
    apart = torch.pdist(module.centers).square().mean()
    torch.testing.assert_close(probabilities[0], torch.softmax(-2 * distances / apart, dim=1))
    others = probabilities[1:].argmax(dim=2)
    assert ((others != distances.argmin(dim=1)).float().mean(dim=1) > 0.1).all()


def test_a_partner_is_one_of_the_neighbors_and_another_at_another_step():
    module, x = scan()
    index = torch.arange(N)
    neighbors = nearest_neighbors(module.net.encode(x).detach(), 2)
    drawn = [partners_of(module, index, step) for step in range(20)]
    for i in range(N):
        assert {rows[i] for rows in drawn} == set(neighbors[i].tolist())
    assert partners_of(module, index, 3) == drawn[3]


@pytest.mark.parametrize("entropy_weight", [0.0, 5.0])
def test_the_loss_is_the_mean_of_all_heads(entropy_weight):
    module, x = scan(entropy_weight=entropy_weight)
    index = torch.tensor([5, 2, 7, 0])
    partners = x[partners_of(module, index, 6)]
    expected = naive_losses(module, x[index], partners)
    assert module.training_step((x[index], index), 6).item() == pytest.approx(sum(expected) / HEADS, rel=1e-5)
    assert module.head_losses.tolist() == pytest.approx(expected, rel=1e-5)


def test_the_head_with_the_lowest_running_loss_predicts():
    module, x = scan()
    z = module.net.encode(x).detach()
    module.head_losses.copy_(torch.tensor([-1.0, -3.0, -4.0, -2.0]))
    assert torch.equal(module.assign(z), module.log_probabilities(z)[2].exp())
    before = module.head_losses.clone()
    module.training_step((x, torch.arange(N)), 0)
    fresh = torch.tensor(naive_losses(module, x, x[partners_of(module, torch.arange(N), 0)]))
    torch.testing.assert_close(module.head_losses, 0.98 * before + 0.02 * fresh)


def test_encoder_and_heads_move_and_the_decoder_stays():
    module, x = scan()
    optimizer = module.configure_optimizers()
    before = {name: parameter.clone() for name, parameter in module.named_parameters()}
    module.training_step((x, torch.arange(N)), 0).backward()
    optimizer.step()
    moved = {name for name, parameter in module.named_parameters() if not torch.equal(parameter, before[name])}
    assert moved == {name for name in before if not name.startswith("net.decoder")}


def test_both_of_a_pair_are_distorted_each_by_its_own_amounts():
    module, x = scan(augment=Affine(0.2, 90.0, 0.0, 0.0, "nearest", 0))
    index = torch.arange(N)
    twice = torch.cat([x, x[partners_of(module, index, 2)]])
    expected = naive_losses(module, *module.augment(twice, 0, 2, 0).chunk(2))
    module.training_step((x, index), 2)
    assert module.head_losses.tolist() == pytest.approx(expected, rel=1e-4)


def test_self_labeling_teaches_with_what_is_sure_and_every_cluster_weighs_the_same():
    module, x = scan(self_label_from=10, confidence=0.4, step=10)
    log_p = module.log_probabilities(module.net.encode(x))[0].detach()
    probabilities, clusters = log_p.exp().max(dim=1)
    sure = [i for i in range(N) if probabilities[i] >= 0.4]
    assert len(sure) > 0
    by_cluster = {k: [-log_p[i, k].item() for i in sure if clusters[i] == k] for k in range(K)}
    means = [sum(values) / len(values) for values in by_cluster.values() if values]
    assert module.training_step((x, torch.arange(N)), 0).item() == pytest.approx(sum(means) / len(means), rel=1e-5)
    assert module.logged["fit/sure"] == pytest.approx(len(sure) / N)


def test_self_labeling_waits_for_its_step_and_a_batch_without_a_sure_sample_teaches_nothing():
    waiting, x = scan(self_label_from=10, step=9)
    waiting.training_step((x, torch.arange(N)), 0)
    assert "fit/consistency" in waiting.logged
    unsure, x = scan(self_label_from=10, confidence=1.0, step=11)
    assert unsure.training_step((x, torch.arange(N)), 0).item() == 0.0


def test_everything_is_float32_under_bf16_autocast():
    module, x = scan()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = module.training_step((x, torch.arange(N)), 0)
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)


def test_more_neighbors_than_samples_are_refused_with_what_to_type():
    module, x = scan()
    module.n_neighbors = N
    with pytest.raises(UserError, match=rf"n_neighbors={N} .*{N} samples"):
        module.make_targets(module.net.encode(x), torch.zeros(N, K))


def test_without_neighbors_the_error_names_the_missing_callback():
    module, x = scan()
    module.targets = None
    with pytest.raises(RuntimeError, match="TargetRefresh"):
        module.training_step((x, torch.arange(N)), 0)


def test_heads_are_finite_where_all_centers_are_one():
    module, x = scan()
    module.initialize(Initialization(torch.zeros(N, dtype=torch.long), torch.ones(K, 2)))
    assert torch.isfinite(module.log_probabilities(module.net.encode(x))).all()
