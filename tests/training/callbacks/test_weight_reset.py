"""Resets of BRB: which weights move and how far, new centers with their own targets, no momenta, exact resumes."""

from __future__ import annotations

import copy
import functools

import pytest
import pytorch_lightning as pl
import torch
from sklearn.cluster import KMeans

from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.data.sources.synthetic import Blobs
from deepcluster_pl.data.split import Subset
from deepcluster_pl.errors import UserError
from deepcluster_pl.functional import soft_assignment, target_distribution
from deepcluster_pl.methods.dec import DEC
from deepcluster_pl.methods.idec import IDEC
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.conv import ConvAutoencoder
from deepcluster_pl.nets.mlp import MLPAutoencoder
from deepcluster_pl.training.callbacks.target_refresh import TargetRefresh
from deepcluster_pl.training.callbacks.weight_reset import WeightReset, shrink_and_perturb

N, K = 60, 3  # 16 a batch: 4 steps an epoch
ADAM = functools.partial(torch.optim.Adam, lr=0.01)


class Watcher(pl.Callback):
    """Records refreshes and the state before each step, and writes checkpoints after the given steps."""

    def __init__(self, folder=None, keep_at=()):
        self.folder, self.keep_at = folder, keep_at
        self.refreshes, self.began, self.ended = [], {}, {}

    def on_refresh(self, trainer, module, refresh):
        self.refreshes.append((refresh.step, refresh.changed))

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.began[trainer.global_step] = (
            copy.deepcopy(pl_module.state_dict()), pl_module.targets.clone(), len(trainer.optimizers[0].state),
            pl_module.embed(trainer.datamodule.data.loader("fit")),
        )  # fmt: skip

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.ended[trainer.global_step] = copy.deepcopy(pl_module.state_dict())
        if trainer.global_step in self.keep_at:
            trainer.save_checkpoint(self.folder / f"{trainer.global_step}.ckpt")


def k_means():
    return KMeans(K, n_init=2, random_state=0)


def fit(max_steps, method=DEC, interval=2, keep=0.8, decoder=False, sample_size=1000, tol=0.0, update=1000,
        optimizer=ADAM, start=None, ckpt=None, watcher=None, **trainer_options):  # fmt: skip
    torch.manual_seed(0)
    options = {"name": "b", "subset": Subset(None, False, 0), "holdout": 0.0, "split": "random", "seed": 0,
               "scale": "standard", "num_workers": 0, "residency": "auto"}  # fmt: skip
    data = Blobs(n_samples=N, n_features=5, n_centers=K, spread=3.0, random_state=0, **options)
    data.setup()
    net = MLPAutoencoder((5,), [8, 6, 2], "relu", None, "fan_in_uniform")
    weights = {"gamma": 0.1} if method is IDEC else {}
    module = method(net, "m", K, 1.0, optimizer=optimizer, augment=None, **weights)
    module.initialize(Initialization(torch.zeros(N).long(), module.embed(data.loader("fit"))[[0, 20, 40]]))
    watcher = watcher or Watcher()
    reset = WeightReset(interval, keep, decoder, start or k_means(), sample_size, 0)
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=-1, max_steps=max_steps, logger=False, enable_checkpointing=False,
        callbacks=[TargetRefresh(update, tol, False), reset, watcher], enable_progress_bar=False,
        enable_model_summary=False, limit_val_batches=0, use_distributed_sampler=False, **trainer_options,
    )  # fmt: skip
    trainer.fit(module, datamodule=StageData(data, 16, True, 0), ckpt_path=ckpt)
    return module, watcher


def moved(watcher, step):
    """Names of the weights that differ between the end of a step and the beginning of the next."""
    before, after = watcher.ended[step], watcher.began[step][0]
    return {name for name in before if not torch.equal(before[name], after[name])}


def numbers(tensor):
    return tensor.flatten().tolist()


ENCODER = {"net.encoder.1.weight", "net.encoder.1.bias", "net.encoder.3.weight", "net.encoder.3.bias"}
DECODER = {f"net.decoder.{i}.{kind}" for i in (0, 2, 4) for kind in ("weight", "bias")}


@pytest.mark.parametrize("decoder", [False, True])
def test_a_reset_agrees_with_the_slow_mixture_number_by_number(decoder):
    torch.manual_seed(0)
    net = MLPAutoencoder((5,), [8, 6, 2], "relu", None, "fan_in_uniform")
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape))  # as if trained: biases are not zero
    before, fresh = copy.deepcopy(net), copy.deepcopy(net)
    shrink_and_perturb(net, 0.7, decoder, torch.Generator().manual_seed(3))
    fresh.initialize(torch.Generator().manual_seed(3))
    mixed = {"encoder.1", "encoder.3"} | ({"decoder.0", "decoder.2", "decoder.4"} if decoder else set())
    for name, parameter in net.named_parameters():
        old, new = (dict(other.named_parameters())[name] for other in (before, fresh))
        if name.rpartition(".")[0] in mixed:
            expected = [0.7 * a + 0.3 * b for a, b in zip(numbers(old), numbers(new), strict=True)]
            assert numbers(parameter) == pytest.approx(expected, rel=1e-5, abs=1e-7)
            assert not torch.equal(parameter, old)
        else:
            assert torch.equal(parameter, old)


def test_all_convolutions_of_the_encoder_move_and_its_code_layer_does_not():
    torch.manual_seed(0)
    net = ConvAutoencoder((8, 8), [2, 3], [3, 3], 4)
    before = copy.deepcopy(net.state_dict())
    shrink_and_perturb(net, 0.5, False, torch.Generator().manual_seed(3))
    still = {name for name, tensor in net.state_dict().items() if torch.equal(tensor, before[name])}
    weights = {name for name in before if name.startswith("encoder") and name.endswith("weight")}
    assert weights - still == {"encoder.1.weight", "encoder.3.weight"}
    assert {name for name in before if name.startswith("decoder")} <= still


def test_fresh_weights_take_nothing_from_the_global_random_state_and_leave_it():
    nets = []
    for state in (0, 1):
        torch.manual_seed(9)
        net = MLPAutoencoder((5,), [8, 2], "relu", None, "glorot_uniform")
        torch.manual_seed(state)
        before = torch.get_rng_state()
        shrink_and_perturb(net, 0.8, True, torch.Generator().manual_seed(3))
        assert torch.equal(torch.get_rng_state(), before)
        nets.append(net)
    assert all(torch.equal(a, b) for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True))


@pytest.mark.parametrize(
    ("method", "decoder", "expected"),
    [(DEC, False, ENCODER), (DEC, True, ENCODER), (IDEC, False, ENCODER), (IDEC, True, ENCODER | DECODER)],
)
def test_resets_come_every_interval_and_move_these_weights_and_the_centers_only(method, decoder, expected):
    _, watcher = fit(26, method, decoder=decoder)
    assert {step for step in range(1, 26) if moved(watcher, step)} == {8, 16}  # 2 steps after 24 are no interval
    assert moved(watcher, 8) == moved(watcher, 16) == expected | {"centers"}


def test_a_reset_is_left_out_when_less_than_an_interval_would_follow():
    for max_steps, last in ((23, 8), (24, 16), (25, 16)):
        _, watcher = fit(max_steps)
        assert max(step for step in range(1, max_steps) if moved(watcher, step)) == last


def test_a_fit_without_room_for_a_reset_is_refused_with_what_to_type():
    with pytest.raises(UserError, match=r"fit.max_steps=15 .* type fit.max_steps=16 or more"):
        fit(15)


@pytest.mark.parametrize("method", [DEC, IDEC])
@pytest.mark.parametrize("update", [1000, 8])
def test_centers_are_k_means_of_the_embeddings_after_the_reset_and_targets_belong_to_them(method, update):
    _, watcher = fit(16, method, update=update)
    state, targets, n_momenta, z = watcher.began[8]
    torch.testing.assert_close(state["centers"], torch.as_tensor(k_means().fit(z.numpy()).cluster_centers_))
    assert torch.equal(targets, target_distribution(soft_assignment(z, state["centers"])))
    assert n_momenta == 0
    assert watcher.began[9][2] > 0  # the step after the reset made new ones


def test_the_step_after_a_reset_is_adams_first_as_long_as_its_step_size():
    _, watcher = fit(16)
    step = (watcher.ended[9]["centers"] - watcher.began[8][0]["centers"]).abs()
    torch.testing.assert_close(step, torch.full_like(step, 0.01), rtol=1e-3, atol=0)


def test_only_a_sample_is_clustered_where_one_is_asked_for():
    all_rows, sampled = (fit(16, sample_size=size)[1].began[8] for size in (1000, 20))
    assert torch.equal(all_rows[3], sampled[3])
    assert not torch.equal(all_rows[0]["centers"], sampled[0]["centers"])
    centers = sampled[0]["centers"]
    assert torch.equal(sampled[1], target_distribution(soft_assignment(sampled[3], centers)))
    assert len(sampled[1]) == N


def test_a_reset_is_compared_with_nothing_and_does_not_stop_the_fit():
    still = functools.partial(torch.optim.SGD, lr=1e-12)  # no sample ever moves, but for a reset
    _, watcher = fit(16, keep=1.0, optimizer=still, tol=0.0, update=4)
    assert watcher.refreshes == [(0, None), (4, 0.0), (8, 0.0), (8, None), (12, 0.0), (16, 0.0)]
    _, watcher = fit(16, keep=0.0, optimizer=still, tol=0.5, update=9)
    assert watcher.refreshes == [(0, None), (8, None), (9, 0.0)]  # a step later it has converged


@pytest.mark.parametrize("method", [DEC, IDEC])
def test_a_fit_resumed_from_any_step_around_a_reset_ends_with_the_same_weights(tmp_path, method):
    steps = (7, 8, 9, 12, 16, 17)  # 8 and 16: the last batch before a reset
    whole, watcher = fit(26, method, update=3, watcher=Watcher(tmp_path, steps))
    for step in steps:
        torch.manual_seed(step)
        resumed, later = fit(26, method, update=3, ckpt=tmp_path / f"{step}.ckpt")
        assert all(torch.equal(a, b) for a, b in zip(resumed.parameters(), whole.parameters(), strict=True)), step
        assert later.refreshes == watcher.refreshes[-len(later.refreshes) :]
        assert torch.equal(resumed.targets, whole.targets)


def test_accumulated_gradients_count_steps_and_reset_once():
    _, watcher = fit(8, interval=2, accumulate_grad_batches=2)  # 2 steps an epoch
    assert [step for step, changed in watcher.refreshes] == [0, 4]


class Two:
    """Always finds two clusters."""

    def fit_predict(self, z):
        return KMeans(2, n_init=1, random_state=0).fit_predict(z)


def test_an_initialization_with_another_number_of_clusters_is_refused():
    with pytest.raises(UserError, match="found 2 clusters after a reset, expected 3"):
        fit(16, start=Two())
