"""How a step multiplies: in TF32 where it was asked for, within training steps and nowhere else."""

from __future__ import annotations

import pytest
import pytorch_lightning as pl
import torch
from helpers.stepping import SGD, K, samples

from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.methods.dec import DEC
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.mlp import MLPAutoencoder
from deepcluster_pl.training.callbacks import TargetRefresh
from deepcluster_pl.training.stepping import Stepping
from deepcluster_pl.utils.numerics import float32_arithmetic


def flags():
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


class Observed(DEC):
    """Notes the flags in the forward and the backward pass, after a step, and at a refresh."""

    def loss(self, batch, draws):
        losses = super().loss(batch, draws)
        self.seen["forward"].add(flags())
        losses["loss"].register_hook(lambda _: self.seen["backward"].add(flags()))
        return losses

    def after_step(self, batches):
        self.seen["after"].add(flags())

    def make_targets(self, z, q):
        self.seen["refresh"].add(flags())
        return super().make_targets(z, q)


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("matmul", ["ieee", "tf32"])
def test_products_are_in_tf32_within_steps_alone(matmul, size):
    data = samples()
    module = Observed(MLPAutoencoder((5,), [8, 2], "relu", None, "fan_in_uniform"), "dec", K, 1.0, SGD, None)
    module.initialize(Initialization(torch.zeros(1).long(), torch.randn(K, 2)))
    module.seen = {name: set() for name in ("forward", "backward", "after", "refresh")}
    trainer = pl.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, max_steps=8, limit_val_batches=0,
        callbacks=[TargetRefresh(4, 0.0, False)], enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    stage = StageData(data, 10, True, 0)
    stage.wrap = Stepping(size, False, matmul).wrapper(trainer, module, print)
    with float32_arithmetic():
        trainer.fit(module, datamodule=stage)
        assert flags() == (False, False)
    within = {(True, True)} if matmul == "tf32" else {(False, False)}
    assert module.seen["forward"] == module.seen["backward"] == within
    assert module.seen["after"] == module.seen["refresh"] == {(False, False)}
