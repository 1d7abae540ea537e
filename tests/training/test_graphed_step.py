"""A captured step: replays take the steps that an eager engine takes, whatever the stage changes in between."""

from __future__ import annotations

import pytest
import pytorch_lightning as pl
import torch
from helpers.recorded_graph import RecordedCapture
from helpers.stepping import MODULES, SGD, KilledAt, KilledError, differences, make, samples, train

from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.training.graphed_step import GraphedStep, capture_on_gpu, obstacle_to_graph
from deepcluster_pl.training.stepping import Stepping

CAPTURES = {"layerwise": 4, "dkm": 4, "scan": 2}
"""Captures of modules whose steps are of several kinds: phases, temperatures, self-labeling."""


def engine(capture, said):
    """Make engines that capture with a stand-in, and collect what they report."""

    def make_engine(trainer, module):
        return GraphedStep(trainer, module, said.append, capture)

    return make_engine


@pytest.mark.parametrize("name", MODULES)
def test_replays_take_the_steps_that_an_eager_engine_takes(name, tmp_path):
    """Schedules, clipping, refreshes, short last batches and Lightning's own steps are between the replays."""
    capture, said, options = RecordedCapture(), [], {"gradient_clip_val": 0.5}
    eager = train(tmp_path / "eager", name, 100, 150, **options)
    replayed = train(tmp_path / "graph", name, 100, 150, **options, engine=engine(capture, said))
    assert said == []
    assert capture.captures == CAPTURES.get(name, 1)
    assert capture.replays > 80
    assert differences(eager, replayed) == []


def test_a_replay_is_resumed_from_a_checkpoint(tmp_path):
    whole, said, path = train(tmp_path / "whole", "dec", 1, 60), [], tmp_path / "last.ckpt"
    with pytest.raises(KilledError):
        train(tmp_path / "cut", "dec", 100, 60, KilledAt(40, path), engine=engine(RecordedCapture(), said))
    resumed = train(tmp_path / "cut", "dec", 100, 60, engine=engine(RecordedCapture(), said), resume_from=path)
    assert said == []
    for key in ("state_dict", "optimizer_states"):
        assert differences(whole["checkpoint"][key], resumed["checkpoint"][key]) == []


def test_a_step_that_cannot_be_captured_is_taken_eagerly_and_the_reason_is_told_once(tmp_path):
    def fails(step):
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    said = []
    eager = train(tmp_path / "eager", "dec", 100, 60)
    kept = train(tmp_path / "kept", "dec", 100, 60, engine=engine(fails, said))
    assert said == ["a step could not be captured (operation not permitted)"]
    assert differences(eager, kept) == []


def cpu_trainer(**options):
    return pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, **options)


@pytest.mark.parametrize(
    ("stepping", "words"),
    [
        (Stepping("auto", True), "trainer.graph=true has no effect: a graph needs an NVIDIA GPU"),
        (Stepping(1, True), "trainer.graph=true has no effect: trainer.steps_per_block=1"),
        (Stepping("auto", "auto"), ""),
        (Stepping("auto", False), ""),
    ],
)
def test_a_graph_that_cannot_be_is_explained_once_if_it_was_asked_for(stepping, words):
    said, data = [], samples()
    for _ in range(2):
        module, trainer = make("reconstruction", data), cpu_trainer(max_steps=3, limit_val_batches=0)
        stage = StageData(data, 10, True, 0)
        stage.wrap = stepping.wrapper(trainer, module, said.append)
        trainer.fit(module, datamodule=stage)
    assert len(said) == bool(words)
    assert all(line.startswith(words) for line in said)


def test_obstacles_are_named(monkeypatch):
    trainer, weights = cpu_trainer(), [torch.nn.Parameter(torch.zeros(1))]
    assert "the run is on cpu" in obstacle_to_graph(trainer, SGD(weights))
    monkeypatch.setattr(type(trainer.strategy), "root_device", torch.device("cuda"))
    assert obstacle_to_graph(trainer, SGD(weights)) == ""
    assert "fused=true" in obstacle_to_graph(trainer, torch.optim.SGD(weights, lr=0.1))
    with torch.autograd.set_detect_anomaly(True):
        assert "detect_anomaly" in obstacle_to_graph(trainer, SGD(weights))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", MODULES)
def test_on_a_gpu_a_replayed_stage_ends_as_an_eager_one(name, tmp_path):
    said = []
    options = {"accelerator": "gpu", "gradient_clip_val": 0.5}
    eager = train(tmp_path / "eager", name, 100, 200, **options)
    replayed = train(tmp_path / "graph", name, 100, 200, **options, engine=engine(capture_on_gpu, said))
    assert said == []
    weights = [run["checkpoint"]["state_dict"] for run in (eager, replayed)]
    assert max(float((weights[0][name] - weights[1][name]).abs().max()) for name in weights[0]) < 1e-6
