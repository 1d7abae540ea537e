"""Target refreshes: over all fitted samples, at the right steps, constant in between, and an end at convergence."""

from __future__ import annotations

import functools

import pytest
import pytorch_lightning as pl
import torch

from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.data.sources.synthetic import Blobs
from deepcluster_pl.data.split import Subset
from deepcluster_pl.functional import soft_assignment, target_distribution
from deepcluster_pl.methods.dec import DEC
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.mlp import MLPAutoencoder
from deepcluster_pl.training.callbacks.target_refresh import TargetRefresh

N, K = 60, 3


class Recorder(pl.Callback):
    """Records every refresh, and the targets that each step used."""

    def __init__(self):
        self.refreshes, self.targets, self.weights = [], [], []

    def on_refresh(self, trainer, module, refresh):
        self.refreshes.append(refresh)
        self.weights.append(module.centers.detach().clone())

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.targets.append(None if pl_module.targets is None else pl_module.targets.clone())


def fit(
    max_steps, interval=4, tol=0.0, lr=0.05, per_epoch=False, batch_size=16, ckpt=None, keep=None, reseed=False,
    momentum=0.0, make=DEC, watch=(), **trainer_options,
):  # fmt: skip
    torch.manual_seed(0)
    options = {"name": "b", "subset": Subset(None, False, 0), "holdout": 0.0, "split": "random", "seed": 0,
               "scale": "standard", "num_workers": 0, "residency": "auto"}  # fmt: skip
    data = Blobs(n_samples=N, n_features=5, n_centers=K, spread=3.0, random_state=0, **options)
    data.setup()
    net = MLPAutoencoder((5,), [8, 2], "relu", None, "fan_in_uniform")
    module = make(net, "dec", K, 1.0, functools.partial(torch.optim.SGD, lr=lr, momentum=momentum), None)
    z = module.embed(data.loader("fit"))
    module.initialize(Initialization(torch.zeros(N).long(), z[[0, 20, 40]]))
    refresh, recorder = TargetRefresh(interval, tol, per_epoch, reseed), Recorder()
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=-1, max_steps=max_steps, callbacks=[*watch, refresh, recorder], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, limit_val_batches=0,
        use_distributed_sampler=False, **trainer_options,
    )  # fmt: skip
    trainer.fit(module, datamodule=StageData(data, batch_size, True, 0), ckpt_path=ckpt)
    if keep:
        trainer.save_checkpoint(keep)
    return module, data, trainer, refresh, recorder


def test_refreshes_come_before_the_first_step_and_every_interval():
    *_, recorder = fit(max_steps=13)
    assert [refresh.step for refresh in recorder.refreshes] == [0, 4, 8, 12]


def test_per_epoch_counts_epochs():
    *_, recorder = fit(max_steps=12, interval=1, per_epoch=True)  # 60 samples, 16 a batch: 4 steps an epoch
    assert [refresh.step for refresh in recorder.refreshes] == [0, 4, 8, 12]


def test_targets_are_constant_between_refreshes_and_new_after():
    *_, recorder = fit(max_steps=9)
    same = [torch.equal(a, b) for a, b in zip(recorder.targets, recorder.targets[1:], strict=False)]
    assert same == [True, True, True, False, True, True, True, False]


def test_targets_come_from_all_samples_and_the_weights_of_that_moment():
    module, data, _, _, recorder = fit(max_steps=8)
    z = module.embed(data.loader("fit"))
    q = soft_assignment(z, module.centers).detach()
    assert torch.allclose(recorder.refreshes[-1].q, q, atol=1e-6)
    assert torch.allclose(module.targets, target_distribution(q), atol=1e-6)
    halves = torch.cat([target_distribution(half) for half in (q[:30], q[30:])])
    assert not torch.allclose(module.targets, halves, atol=1e-3)  # what a mini-batch's own totals would give


def test_accumulated_gradients_do_not_refresh_twice_at_one_step():
    *_, recorder = fit(max_steps=4, interval=2, batch_size=8, accumulate_grad_batches=2)
    assert [refresh.step for refresh in recorder.refreshes] == [0, 2, 4]


def test_it_stops_when_assignments_converge_but_never_before_the_first_interval():
    _, _, trainer, refresh, recorder = fit(max_steps=100, tol=0.05, lr=1e-9)
    assert refresh.converged
    assert trainer.global_step == 4
    assert [r.changed for r in recorder.refreshes] == [None, 0.0]


def test_after_convergence_weights_and_labels_belong_together():
    module, data, _, refresh, recorder = fit(max_steps=400, tol=0.05)
    assert refresh.converged
    clusters = module.assign(module.embed(data.loader("fit"))).argmax(1)
    assert torch.equal(clusters, recorder.refreshes[-1].clusters)
    assert torch.equal(module.centers, recorder.weights[-1])


def test_tol_zero_never_stops():
    _, _, trainer, refresh, _ = fit(max_steps=12, tol=0.0, lr=1e-9)
    assert not refresh.converged
    assert trainer.global_step == 12


def test_exact_targets_are_in_the_checkpoint(tmp_path):
    whole, *_ = fit(max_steps=10)
    fit(max_steps=6, keep=tmp_path / "six.ckpt")
    state = torch.load(tmp_path / "six.ckpt", weights_only=True)
    assert state["callbacks"]["TargetRefresh"]["targets"].shape == (N, K)
    resumed, _, _, _, recorder = fit(max_steps=10, ckpt=tmp_path / "six.ckpt")
    assert [refresh.step for refresh in recorder.refreshes] == [8]
    assert torch.equal(resumed.centers, whole.centers)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_targets_are_float32_under_any_precision(precision):
    module, *_ = fit(max_steps=5, precision=precision)
    assert module.targets.dtype == torch.float32
    assert torch.allclose(module.targets.sum(1), torch.ones(N))
