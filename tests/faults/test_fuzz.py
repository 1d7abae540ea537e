"""Seeded damage to files, and seeded nonsense on the command line: a one-line error or a right answer, nothing else."""

from __future__ import annotations

import io
import os
import random

import numpy as np
import pytest
import torch
from data.sources.test_torchvision_datasets import idx
from helpers.command_line import TINY_DEC

from deepcluster_pl.config import validation as config
from deepcluster_pl.config.allowlist import allowed_by, foreign_code
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.quoting import quote_paths
from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.data.sources.torchvision_datasets import TorchvisionDataset
from deepcluster_pl.errors import UserError
from deepcluster_pl.training.checkpoints import Checkpoint

CASES = int(os.environ.get("DEEPCLUSTER_FUZZ_LINES", "200"))
pytestmark = pytest.mark.filterwarnings("ignore")


def mutated(content: bytes, draw: random.Random) -> bytes:
    """The content with a bit flipped, a piece cut out, doubled or overwritten, or its end missing."""
    damaged, at = bytearray(content), draw.randrange(len(content))
    size = draw.choice([1, 4, 64, 1000])
    match draw.randrange(5):
        case 0:
            damaged[at] ^= 1 << draw.randrange(8)
        case 1:
            del damaged[at:]
        case 2:
            del damaged[at : at + size]
        case 3:
            damaged[at:at] = damaged[at : at + size]
        case _:
            damaged[at : at + size] = draw.randbytes(min(size, len(damaged) - at))
    return bytes(damaged)


def told(action):
    """Return the result of an action, or None where it refused in one line; anything else fails the test."""
    try:
        return action()
    except UserError as error:
        said = str(error)
    assert said
    assert "\n" not in said
    return None


def equal(one, other):
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(equal(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


def test_a_damaged_checkpoint_is_refused_or_read_as_it_was(cli_run, tmp_path):
    run = cli_run(*TINY_DEC)
    file = tmp_path / "x" / "damaged.ckpt"
    file.parent.mkdir()
    sound = (run.folder / "checkpoints" / "final.ckpt").read_bytes()
    content = Checkpoint.open(run.folder / "checkpoints" / "final.ckpt").content
    draw, refused = random.Random(0), 0
    for _ in range(CASES):
        file.write_bytes(mutated(sound, draw))
        found = told(lambda: Checkpoint.open(file).content)
        refused += found is None
        assert found is None or equal(found, content)
    assert refused > CASES // 2


def tables(n=12):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(n, 3)).round(3)
    text = "a,b,c,class\n" + "".join(f"{a},{b},{c},{k % 3}\n" for k, (a, b, c) in enumerate(x.tolist()))
    npy, npz = io.BytesIO(), io.BytesIO()
    np.save(npy, x.astype(np.float32))
    np.savez(npz, x=x, y=np.arange(n) % 3)
    return {"csv": text.encode(), "npy": npy.getvalue(), "npz": npz.getvalue()}


@pytest.mark.parametrize("suffix", ["csv", "npy", "npz"])
def test_a_damaged_table_is_refused_or_gives_finite_samples(tmp_path, common, suffix):
    file, draw = tmp_path / f"x.{suffix}", random.Random(1)
    label = "class" if suffix == "csv" else None
    refused = 0
    for _ in range(CASES):
        file.write_bytes(mutated(tables()[suffix], draw))
        source = ArrayData(str(file), label, None, None, **common())
        found = told(lambda source=source: source.setup() or source.prepared("fit"))
        refused += found is None
        assert found is None or np.isfinite(found).all()
    assert 0 < refused < CASES


def test_damaged_idx_files_are_refused_or_give_as_many_labels_as_images(tmp_path, common):
    raw, draw = tmp_path / "MNIST" / "raw", random.Random(2)
    raw.mkdir(parents=True)
    sound = {"images-idx3": idx(np.arange(60).reshape(5, 4, 3)), "labels-idx1": idx(np.arange(5))}
    (raw / "t10k-images-idx3-ubyte").write_bytes(sound["images-idx3"])
    (raw / "t10k-labels-idx1-ubyte").write_bytes(sound["labels-idx1"])
    refused = 0
    for _ in range(CASES):
        hit = draw.choice(list(sound))
        for name, content in sound.items():
            damaged = mutated(content, draw) if name == hit else content
            (raw / f"train-{name}-ubyte").write_bytes(damaged)
        source = TorchvisionDataset("MNIST", "train", str(tmp_path), False, **common())
        found = told(lambda source=source: source.setup() or source.part("fit"))
        refused += found is None
        assert found is None or (len(found.labels) == len(found) and source.prepared("fit").min() >= 0)
    assert 0 < refused < CASES


KEYS = (
    "seed", "n_clusters", "net.dims", "fit.max_steps", "fit.optimizer.lr", "data.holdout", "data", "method", "start",
    "trainer.accelerator", "trainer.devices", "whiten", "data.path", "hydra.run.dir", "callbacks", "cache_dir",
    "objective.metric", "pretrained", "trainer.precision", "logger", "augment", "n_clusterss", "a.b.c", "", "é",
)  # fmt: skip
VALUES = (
    "0", "-1", "1e999", "nan", "null", "true", "abc", "[1,2", "[8,4]", "{a: 1}", "${seed}", "${nothing}", "'", "a b",
    "dec", "none", "../../x", "1,2", "~", "💥", "=", "", "999999999999999999999", "${oc.env:HOME}", "0.5",
)  # fmt: skip


def test_nonsense_on_the_command_line_is_composed_or_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw, refused, trusted, lines = random.Random(3), 0, allowed_by(), CASES // 2  # composing takes long
    for _ in range(lines):
        typed = [
            f"{draw.choice(['', '', '', '+', '++', '~'])}{draw.choice(KEYS)}={draw.choice(VALUES)}"
            for _ in range(draw.randrange(1, 4))
        ]
        composition = compose_checked(quote_paths(typed))
        problems = list(composition.problems)
        if composition.cfg is not None:
            problems += foreign_code(composition.cfg, trusted) or config.problems(composition.cfg)
        assert all(isinstance(line, str) and line and "\n" not in line for line in problems), typed
        assert composition.cfg is not None or problems, typed
        refused += bool(problems)
    assert 0 < refused < lines
    assert list(tmp_path.iterdir()) == []
