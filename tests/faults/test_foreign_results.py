"""Files of a run folder that were written by others: well-formed, and wrong in content. One line, never a traceback."""

from __future__ import annotations

import copy
import json
import shutil

import numpy as np
import pytest
import torch
from helpers.command_line import TINY_DEC
from helpers.processes import run_command
from safetensors.torch import save_file

from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.initialization.cluster_number import ClusterNumberEstimate
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.runs.saved_scores import read_scores
from deepcluster_pl.training.checkpoints import METADATA, Checkpoint

ESTIMATE = {"n_clusters": 3, "candidates": [2, 3], "agreement": [0.5, 0.9], "reference": [0.1, 0.1],
            "error": [0.0, 0.0], "n": 60}  # fmt: skip
SCORES = {"seed": 0, "n_clusters": 3, "fit": {"acc": 0.5, "nmi": None, "cluster_sizes": [1, 2]}, "holdout": None,
          "published": {"fit": {"acc": 0.9}}}  # fmt: skip
START = {"labels": torch.tensor([0, 1, 2, 1]), "centers": torch.zeros(3, 2)}
LATER = {"codes": torch.zeros(5, 2), "probabilities": torch.zeros(5, 3), "weights": torch.ones(3)}


def one_line(action):
    """The only line that an action refuses with."""
    with pytest.raises(UserError) as error:
        action()
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"n_clusters": -1}, {"n_clusters": 10**15}, {"n_clusters": "three"}, {"n_clusters": 2.5}, {"candidates": 5},
        {"agreement": [0.1]}, {"agreement": ["a", "b"]}, {"coarse": 77}, {"n": None},
    ],
)  # fmt: skip
def test_an_estimate_of_the_number_of_clusters(tmp_path, change):
    file = tmp_path / "n_clusters.json"
    file.write_text(json.dumps(ESTIMATE))
    assert ClusterNumberEstimate.load(file).n_clusters == 3
    file.write_text(json.dumps(ESTIMATE | change))
    assert "type n_clusters=<number>" in one_line(lambda: ClusterNumberEstimate.load(file))


@pytest.mark.parametrize(
    "content",
    [
        [], 5, None, {}, SCORES | {"seed": "0"}, SCORES | {"n_clusters": 1e999}, SCORES | {"fit": 5},
        SCORES | {"fit": {"acc": "high"}}, SCORES | {"holdout": [1]}, SCORES | {"published": {"fit": 5}},
    ],
)  # fmt: skip
def test_scores(tmp_path, content):
    (tmp_path / "scores.json").write_text(json.dumps(SCORES))
    assert read_scores(tmp_path) == SCORES
    for text in (json.dumps(content), "[" * 100_000, "{", ""):
        (tmp_path / "scores.json").write_text(text)
        assert one_line(lambda: read_scores(tmp_path)).startswith(f"{tmp_path}/scores.json is damaged: ")


@pytest.mark.parametrize(
    "change",
    [
        {"evil": torch.zeros(1)}, {"centers": torch.zeros(2, 2)}, {"centers": torch.full((3, 2), torch.nan)},
        {"centers": torch.zeros(3)}, {"labels": torch.zeros(4)}, {"labels": torch.tensor([10**6])},
        {"labels": torch.tensor([-2])}, {"code_matrix": torch.zeros(1)}, {"code_shift": torch.zeros(3)},
        {"weights": torch.ones(2)}, {"probabilities": torch.zeros(4, 3)}, {"precisions_cholesky": torch.zeros(3, 3)},
    ],
)  # fmt: skip
def test_an_initialization(tmp_path, change):
    file = tmp_path / "start.safetensors"
    save_file(START | LATER, file)
    assert Initialization.load(file).labels.tolist() == [0, 1, 2, 1]
    save_file(START | LATER | change, file)
    assert "delete it, and the initialization is computed again" in one_line(lambda: Initialization.load(file))


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A run without its end, and its last checkpoint."""
    folder = tmp_path_factory.mktemp("interrupted") / "run"
    words = [*TINY_DEC, "baselines=none", "logger=none", "checkpoint_interval=0.00001", f"hydra.run.dir={folder}"]
    assert run_command(words, folder.parent).returncode == 0
    for name in ("checkpoints/final.ckpt", "checkpoints/previous.ckpt", "scores.json"):
        (folder / name).unlink()
    return folder, torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


WRONG = [
    (METADATA, "origin", 5), (METADATA, "seconds", "x"), (METADATA, "stage", ["fit"]), ("state_dict", None, 5),
    ("state_dict", "a", "b"), ("global_step", None, "x"), ("callbacks", None, 5), ("loops", None, 5),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "key", "value"), WRONG)
def test_a_checkpoint_with_an_entry_of_another_type(interrupted, tmp_path, entry, key, value):
    content = copy.deepcopy(interrupted[1])
    (content if key is None else content[entry])[entry if key is None else key] = value
    torch.save(content, tmp_path / "x.ckpt")
    assert "is of another type than deepcluster_pl writes" in one_line(lambda: Checkpoint.open(tmp_path / "x.ckpt"))


@pytest.mark.parametrize(
    ("entry", "value"), [("loops", {}), ("optimizer_states", [{"state": {}, "param_groups": []}]), ("lr_schedulers", 5)]
)
def test_a_checkpoint_that_lightning_cannot_restore(interrupted, cli_run, tmp_path, entry, value):
    shutil.copytree(interrupted[0], tmp_path / "run")
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    torch.save(interrupted[1] | {entry: value}, last)
    resumed = cli_run(f"resume={tmp_path / 'run'}")
    assert (resumed.code, resumed.err.count("\n")) == (1, 1), resumed.err
    assert f"{last} holds no state of this training" in resumed.err
    assert "delete it, and the stage starts at its beginning" in resumed.err


def test_a_table_of_a_sweep_with_damaged_scores(tmp_path, deepcluster):
    job = tmp_path / "0"
    (job / "config").mkdir(parents=True)
    (job / "config" / "overrides.yaml").write_text("[seed=0]\n")
    (job / "config" / "config.yaml").write_text("objective: {uses_labels: false}\n")
    (job / "scores.json").write_text(json.dumps({"fit": np.pi}))
    for command in ("table", "choose-k"):
        told = deepcluster(command, tmp_path)
        assert (told.code, told.out) == (1, "")
        assert told.err.startswith(f"{job}/scores.json is damaged: ")
