"""Blocks: whatever their size, a stage takes the same steps, counts them alike, and resumes to the same end."""

from __future__ import annotations

import pytest
import pytorch_lightning as pl
from helpers.stepping import MODULES, SGD, K, KilledAt, KilledError, differences, make, samples, train
from pytorch_lightning.callbacks import Timer

from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.methods.dec import DEC
from deepcluster_pl.nets.mlp import MLPAutoencoder
from deepcluster_pl.training.blocks import Blocks, obstacle_to_blocks
from deepcluster_pl.training.step_engine import EagerStep
from deepcluster_pl.training.stepping import Stepping

STEPS = 200


@pytest.mark.parametrize("name", MODULES)
def test_blocks_change_no_bit_of_weights_counters_and_curves(name, tmp_path):
    single = train(tmp_path / "1", name, 1, STEPS)
    blocks = train(tmp_path / "7", name, 7, STEPS)
    assert differences(single, blocks) == []
    assert single["checkpoint"]["global_step"] == len(single["steps"]) == STEPS
    assert len({loss for *_, loss in single["steps"]}) > STEPS // 2


@pytest.mark.parametrize("size", [4, 100])
def test_any_size_gives_the_same_with_a_held_out_part_and_clipping(size, tmp_path):
    options = {"holdout": 0.2, "gradient_clip_val": 0.05, "log_every_n_steps": 20}
    single = train(tmp_path / "single", "reconstruction", 1, 60, **options)
    blocks = train(tmp_path / "blocks", "reconstruction", size, 60, **options)
    assert differences(single, blocks) == []
    assert len(single["curves"]["pretrain/mse_holdout"]) == 6


@pytest.mark.parametrize(("name", "step"), [("dec", 11), ("dec", 25), ("scan", 40), ("layerwise", 43)])
def test_killed_within_a_block_a_stage_resumes_to_the_same_end(name, step, tmp_path):
    whole, path = train(tmp_path / "whole", name, 1, 50), tmp_path / "last.ckpt"
    with pytest.raises(KilledError):
        train(tmp_path / "cut", name, 7, 50, KilledAt(step, path))
    resumed = train(tmp_path / "cut", name, 4, 50, resume_from=path)
    assert resumed["steps"] == whole["steps"][step:]
    for key in ("state_dict", "optimizer_states", "callbacks", "global_step"):
        assert differences(whole["checkpoint"][key], resumed["checkpoint"][key]) == []


class StopsAt(pl.Callback):
    """Asks for the end of the stage after a step."""

    def __init__(self, step):
        self.step = step

    def on_train_batch_end(self, trainer, *rest):
        trainer.should_stop = trainer.global_step == self.step


def test_a_stage_that_is_stopped_within_a_block_takes_no_further_step(tmp_path):
    single = train(tmp_path / "1", "dec", 1, 60, StopsAt(17))
    blocks = train(tmp_path / "8", "dec", 8, 60, StopsAt(17))
    assert len(single["steps"]) == len(blocks["steps"]) == 17
    assert differences(single["checkpoint"]["state_dict"], blocks["checkpoint"]["state_dict"]) == []


class OverAt(Timer):
    """A timer whose time is over after a step."""

    def __init__(self, step):
        super().__init__({"hours": 1})
        self.step, self.taken = step, 0

    def on_train_batch_start(self, trainer, *rest):
        self.taken = trainer.global_step

    def time_elapsed(self, stage="train"):
        return 3600.0 if self.taken >= self.step else 0.0


@pytest.mark.parametrize("size", [1, 100])
def test_a_stage_whose_time_is_over_ends_with_the_scores_of_the_held_out_part(size, tmp_path):
    ended = train(tmp_path, "reconstruction", size, 60, OverAt(14), holdout=0.2)  # 9 steps an epoch
    n_steps = len(ended["steps"])
    assert 14 < n_steps <= 16
    assert [*ended["curves"]["pretrain/mse_holdout"]] == [8, n_steps - 1]


class Counter(EagerStep):
    """Counts the steps that Lightning did not take."""

    taken = 0

    def __call__(self, batch, draws):
        Counter.taken += 1
        return super().__call__(batch, draws)


def test_lightning_takes_the_last_step_of_each_block_and_those_that_are_due(tmp_path, monkeypatch):
    monkeypatch.setattr(Counter, "taken", 0)
    # 11 steps an epoch, a refresh at 25, and the stage ends at 30
    train(tmp_path, "dec", 100, 30, engine=Counter)
    assert 30 - Counter.taken == len({11, 22, 25, 30})


class Within(pl.Callback):
    def on_after_backward(self, trainer, pl_module):
        pass


def trainer_with(callbacks=(), **options):
    return pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=[*callbacks], **options)


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        (trainer_with(), ""),
        (trainer_with(max_time="00:01:00:00", precision="bf16-mixed", gradient_clip_val=1.0), ""),
        (trainer_with(accumulate_grad_batches=2), "gradients add up"),
        (trainer_with([Within()]), "Within is called within each step"),
    ],
)
def test_what_needs_lightning_at_every_step_is_named(trainer, words):
    reason = obstacle_to_blocks(trainer, make("dec", samples()))
    assert words in reason
    assert bool(reason) == bool(words)
    data = samples()
    loader = StageData(data, 8, True, 0).train_dataloader()
    wrapped = Stepping().wrapper(trainer, make("dec", data), print)(loader)
    assert isinstance(wrapped, Blocks) == (not words)
    assert Stepping(1).wrapper(trainer, make("dec", data), print)(loader) is loader


class OwnStep(DEC):
    def training_step(self, batch, batch_idx):
        return super().training_step(batch, batch_idx)


class OwnLog(DEC):
    def log_losses(self, losses, n_samples):
        pass


@pytest.mark.parametrize("kind", [OwnStep, OwnLog])
def test_a_method_with_steps_of_its_own_leaves_them_to_lightning(kind):
    module = kind(MLPAutoencoder((5,), [8, 2], "relu", None, "fan_in_uniform"), "own", K, 1.0, SGD, None)
    assert kind.__name__ in obstacle_to_blocks(trainer_with(), module)
