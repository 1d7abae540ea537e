"""Progress: a bar with loss and share changed on a terminal, plain lines without control codes elsewhere."""

from __future__ import annotations

import io
import time
from types import SimpleNamespace

import pytest
from rich.console import Console

from deepcluster_pl.training.callbacks.progress import ProgressLine
from deepcluster_pl.training.callbacks.target_refresh import Refresh


def shown(terminal, stage="fit", max_epochs=-1, max_steps=100, every_s=0.0):
    out = io.StringIO()
    line = ProgressLine(stage, Console(file=out, force_terminal=terminal, width=100, highlight=False), every_s)
    trainer = SimpleNamespace(
        max_epochs=max_epochs, max_steps=max_steps, global_step=0, num_training_batches=10, accumulate_grad_batches=1
    )
    line.on_train_start(trainer, None)
    line._shown_at = -10.0
    trainer.global_step = 40
    line.on_refresh(trainer, None, Refresh(40, None, None, None, 0.125))
    line.on_train_batch_end(trainer, None, {"loss": 0.25}, None, 0)
    line.on_train_end(trainer, None)
    return out.getvalue()


def test_a_terminal_gets_a_bar_with_the_loss_and_the_share_changed():
    text = shown(terminal=True)
    assert "\x1b[" in text
    for word in ("fit", "40/100", "steps", "loss 0.2", "changed 12.50%"):
        assert word in text


def test_anything_else_gets_plain_lines():
    text = shown(terminal=False)
    assert "\x1b" not in text
    assert text.splitlines()[0].split() == ["fit", "step", "40", "changed", "12.50%"]
    assert text.splitlines()[1].split() == ["fit", "step", "40/100", "loss", "0.25", "changed", "12.50%"]


def test_pretraining_counts_epochs():
    assert "epoch      4/20" in shown(terminal=False, stage="pretrain", max_epochs=20)


@pytest.mark.parametrize(
    ("every_s", "n_lines"),
    [(0.0, 2), (5.0, 2), (1e9, 1)],
    ids=["every step", "the last line is ten seconds old", "only when training ends"],
)
def test_plain_lines_come_only_now_and_then(every_s, n_lines, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)  # `shown` sets the last line ten seconds before
    assert shown(terminal=False, every_s=every_s).count("loss 0.25") == n_lines
