"""Logging beside the step: the epoch's mean is that over samples, and steps are logged when a logger looks."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from deepcluster_pl.utils.metric_logging import EpochMean, log_step


class Recorder:
    """Stands for a LightningModule at a step of training."""

    def __init__(self, step, every):
        self._trainer = SimpleNamespace(global_step=step, log_every_n_steps=every)
        self.logged = {}

    def log(self, name, value, **options):
        self.logged[name] = float(value)


def test_an_epoch_s_mean_weighs_samples_alike_and_the_next_epoch_begins_anew():
    mean, module = EpochMean(), Recorder(0, 1)
    samples = torch.rand(10, dtype=torch.float64)
    for batch in samples.split(4):
        mean.add(batch.mean(), len(batch))
    mean.log(module, "mse")
    assert module.logged["mse"] == pytest.approx(samples.mean().item())
    mean.add(torch.tensor(3.0), 5)
    mean.log(module, "mse")
    assert module.logged["mse"] == 3.0


def test_nothing_seen_is_nothing_logged():
    module = Recorder(0, 1)
    EpochMean().log(module, "mse")
    assert module.logged == {}


def test_no_gradient_is_kept_alive():
    mean = EpochMean()
    weight = torch.ones(3, requires_grad=True)
    mean.add(weight.sum(), 2)
    assert mean._sum is not None
    assert not mean._sum.requires_grad


@pytest.mark.parametrize(
    ("step", "every", "seen"), [(9, 10, True), (8, 10, False), (10, 10, False), (0, 1, True), (9, 0, False)]
)
def test_a_step_is_logged_when_the_loggers_look(step, every, seen):
    module = Recorder(step, every)
    log_step(module, {"kl": torch.tensor(0.5), "mse": torch.tensor(2.0)})
    assert module.logged == ({"kl": 0.5, "mse": 2.0} if seen else {})
