"""The one-cycle schedule: PyTorch's rates, from the step alone."""

from __future__ import annotations

import pytest
import torch

from deepcluster_pl.training.callbacks.one_cycle import one_cycle_factor


@pytest.mark.parametrize(("n_steps", "warmup"), [(40, 0.05), (100, 0.3), (7, 0.5)])
def test_rates_are_those_of_pytorch(n_steps, warmup):
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, n_steps, pct_start=warmup)
    for step in range(n_steps):
        rate = optimizer.param_groups[0]["lr"]
        assert 0.5 * one_cycle_factor(step, n_steps, warmup) == pytest.approx(rate, abs=1e-7)
        optimizer.step()
        if step + 1 < n_steps:
            schedule.step()


def test_a_stage_of_one_step_trains():
    assert one_cycle_factor(0, 1, 0.05) == 1
