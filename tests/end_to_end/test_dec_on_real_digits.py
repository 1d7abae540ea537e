"""DEC on 3,000 test images of MNIST, with a narrow net: it learns, and its targets are those of the whole data."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from helpers.processes import run_command

from deepcluster_pl import load_model
from deepcluster_pl.data.sources.torchvision_datasets import TorchvisionDataset
from deepcluster_pl.data.split import Subset

N, GAIN = 3000, 0.01
pytestmark = [pytest.mark.slow, pytest.mark.realdata]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, real_data):
    """A run of about 20 seconds on one core."""
    folder = tmp_path_factory.mktemp("dec") / "run"
    command = [
        "experiment=mnist_10k", f"data.root={real_data}", f"data.subset.size={N}", "net.dims=[128,128,256,10]",
        "pretrain.max_epochs=60", "fit.max_steps=700", "baselines=none", "trainer.accelerator=cpu",
        f"hydra.run.dir={folder}",
    ]  # fmt: skip
    done = run_command(command, folder.parent)
    assert done.returncode == 0, done.stderr
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
    assert scores["fit"]["n"] == N
    assert scores["fit"]["nmi"] >= scores["start"]["fit"]["nmi"] + GAIN
    assert not scores["fit"]["collapsed"]


def test_the_targets_are_those_of_the_whole_data_and_not_of_batches(folder, real_data):
    """`max_steps` is a whole number of intervals, so the last refresh belongs to the final weights."""
    common = {"name": "mnist", "subset": Subset(N, False, 0), "holdout": 0.0, "split": "random", "seed": 0,
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
