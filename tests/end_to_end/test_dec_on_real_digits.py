"""DEC on MNIST's 10,000 test images: the shortened recipe learns, and its targets are those of the whole data."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from deepcluster_pl import load_model
from deepcluster_pl.data.sources.torchvision_datasets import TorchvisionDataset
from deepcluster_pl.data.split import Subset

GAIN = 0.01
pytestmark = [pytest.mark.slow, pytest.mark.realdata]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, real_data):
    folder = tmp_path_factory.mktemp("dec") / "run"
    command = [sys.executable, "-m", "deepcluster_pl", "experiment=mnist_10k", f"data.root={real_data}",
               "baselines=none", "trainer.accelerator=cpu",
               f"hydra.run.dir={folder}"]  # fmt: skip
    subprocess.run(command, check=True, cwd=folder.parent)
    return folder


def naive_targets(z, centers):
    """P by the paper's formulas, in float64: over all rows, and over the totals of batches of 256 (the mistake)."""
    squared = ((z[:, None, :] - centers[None]) ** 2).sum(axis=2)
    q = 1 / (1 + squared)
    q /= q.sum(axis=1, keepdims=True)

    def sharpen(rows):
        weight = rows**2 / rows.sum(axis=0)
        return weight / weight.sum(axis=1, keepdims=True)

    return sharpen(q), np.concatenate([sharpen(q[i : i + 256]) for i in range(0, len(q), 256)])


def test_the_fit_improves_on_its_start(folder):
    """Without sharpening (p = q) nothing would move; with p in another order of rows scores fall."""
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["fit"]["n"] == 10_000
    assert scores["fit"]["nmi"] >= scores["start"]["fit"]["nmi"] + GAIN
    assert not scores["fit"]["collapsed"]


def test_the_targets_are_those_of_the_whole_data_and_not_of_batches(folder, real_data):
    """`max_steps` is a whole number of intervals, so the last refresh belongs to the final weights."""
    common = {"name": "mnist", "subset": Subset(None, False, 0), "holdout": 0.0, "split": "random", "seed": 0,
              "scale": "none", "num_workers": 0, "residency": "auto"}  # fmt: skip
    data = TorchvisionDataset("MNIST", "test", str(real_data), False, **common)
    data.setup()
    model = load_model(folder / "model")
    z = model.embed(data.loader("fit")).double().numpy()
    whole, batched = naive_targets(z, model.centers.detach().double().numpy())
    kept = torch.load(folder / "checkpoints" / "final.ckpt", weights_only=True)["callbacks"]["TargetRefresh"]
    error = np.abs(kept["targets"].numpy() - whole).max()
    assert error < 1e-4
    assert np.abs(batched - whole).max() > 1000 * error
