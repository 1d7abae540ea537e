"""Annealing: the published curve, at every step of both stages, in a run that was interrupted too."""

from __future__ import annotations

import functools

import pytest
import pytorch_lightning as pl
import torch

from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.data.sources.synthetic import Blobs
from deepcluster_pl.nets.mlp import MLPAutoencoder
from deepcluster_pl.training.callbacks.cosine_annealing import CosineAnnealing
from deepcluster_pl.training.pretraining.reconstruction import Reconstruction

LR = 0.5


class Rates(pl.Callback):
    """Records the rate of each step, and stops after one of them."""

    def __init__(self, stop_after):
        self.seen = []
        self.stop_after = stop_after

    def on_train_batch_end(self, trainer, *rest):
        self.seen.append(trainer.optimizers[0].param_groups[0]["lr"])
        trainer.should_stop = len(self.seen) == self.stop_after


@pytest.fixture
def rates(tmp_path, common):
    """Call to train on 20 samples, 5 steps an epoch; returns the rates of the steps."""

    def train(final, stop_after=None, resume_from=None, keep=None, accumulate=1, **limits):
        torch.manual_seed(0)
        data = Blobs(20, 3, 2, 1.0, 0, **common())
        data.setup()
        net = MLPAutoencoder((3,), [2], "relu", None, "fan_in_uniform")
        module = Reconstruction(net, functools.partial(torch.optim.SGD, lr=LR), None)
        seen = Rates(stop_after)
        trainer = pl.Trainer(
            default_root_dir=tmp_path, accelerator="cpu", callbacks=[CosineAnnealing(final), seen], logger=False,
            enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
            accumulate_grad_batches=accumulate, limit_val_batches=0, **limits,
        )  # fmt: skip
        trainer.fit(module, datamodule=StageData(data, 4, True, 0), ckpt_path=resume_from, weights_only=True)
        if keep is not None:
            trainer.save_checkpoint(keep)
        return seen.seen

    return train


@pytest.mark.parametrize("limits", [{"max_epochs": 2}, {"max_steps": 10, "max_epochs": -1}])
def test_rates_are_pytorchs_own_cosine(rates, limits):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10, eta_min=LR * 0.2)
    expected = []
    for _ in range(10):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates(0.2, **limits) == pytest.approx(expected)


def test_one_leaves_the_rate_as_it_is(rates):
    assert rates(1.0, max_epochs=2) == [LR] * 10


def test_steps_that_accumulate_share_a_rate(rates):
    assert rates(0.0, max_epochs=2, accumulate=5) == pytest.approx([LR] * 5 + [LR / 2] * 5)


def test_an_interrupted_run_resumes_along_the_same_curve(rates, tmp_path):
    whole = rates(0.1, max_steps=10, max_epochs=-1)
    before = rates(0.1, max_steps=10, max_epochs=-1, stop_after=4, keep=tmp_path / "last.ckpt")
    after = rates(0.1, max_steps=10, max_epochs=-1, resume_from=tmp_path / "last.ckpt")
    assert before == pytest.approx(whole[:4])
    assert after == pytest.approx(whole[4:])
