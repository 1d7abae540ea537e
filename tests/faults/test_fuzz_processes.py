"""The same damage and nonsense through processes of their own: an exit code and a line, or a whole and right result."""

from __future__ import annotations

import csv
import os
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from data.sources.test_torchvision_datasets import idx
from faults.test_fuzz import KEYS, VALUES, equal, mutated, tables
from helpers.command_line import TINY_DEC
from helpers.processes import run_command

CASES, SECONDS = int(os.environ.get("DEEPCLUSTER_FUZZ_CASES", "15")), 240
QUICK = ("trainer.accelerator=cpu", "baselines=none", "logger=none")


def typed(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    """The real command, in a folder of its own; one that hangs fails the test."""
    return run_command(overrides, folder, timeout=SECONDS)


def assert_told(ended: subprocess.CompletedProcess[str]) -> bool:
    """Whether it refused, which it has to do in lines, with an exit code, and without a traceback."""
    assert "Traceback" not in ended.stderr + ended.stdout, ended.stderr
    assert ended.returncode in (0, 1), (ended.returncode, ended.stderr)
    assert bool(ended.stderr.strip()) == (ended.returncode == 1), ended.stderr
    return ended.returncode == 1


def assert_whole(run: Path, n: int, k: int) -> None:
    """As many rows as samples, each in one of K clusters."""
    with (run / "assignments.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == n
    assert {int(row["cluster"]) for row in rows} <= set(range(k))
    assert (run / "scores.json").is_file()


def test_damaged_checkpoints(cli_run, tmp_path):
    whole = cli_run(*TINY_DEC, name="whole")
    sound = whole.folder / "checkpoints" / "pretrained.ckpt"
    content, draw, refused = torch.load(sound, weights_only=True), random.Random(10), 0
    for number in range(CASES):
        (tmp_path / str(number)).mkdir()
        damaged = tmp_path / str(number) / "damaged.ckpt"
        damaged.write_bytes(mutated(sound.read_bytes(), draw))
        option = draw.choice(["pretrained", "ckpt_path"])
        ended = typed(damaged.parent, *TINY_DEC, *QUICK, f"{option}=damaged.ckpt", "hydra.run.dir=run")
        if assert_told(ended):
            refused += 1
            assert "damaged.ckpt" in ended.stderr
            assert not (damaged.parent / "run").exists()
        else:
            assert equal(torch.load(damaged, weights_only=True), content)
            assert_whole(damaged.parent / "run", 120, 3)
    assert refused > CASES // 2


@pytest.mark.parametrize("suffix", ["csv", "npy", "npz", "idx"])
def test_damaged_data(tmp_path, suffix):
    draw, done, refused = random.Random(11), 0, 0
    n_cases = max(2, CASES // 4)
    for number in range(n_cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        if suffix == "idx":
            raw = folder / "MNIST" / "raw"
            raw.mkdir(parents=True)
            for part, n in (("train", 30), ("t10k", 6)):
                images = idx(np.random.default_rng(0).integers(0, 256, size=(n, 6, 6)).astype(np.uint8))
                (raw / f"{part}-images-idx3-ubyte").write_bytes(mutated(images, draw) if part == "train" else images)
                (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(n) % 10))
            source = ["data=mnist", "data.root=."]
        else:
            (folder / f"x.{suffix}").write_bytes(mutated(tables(30)[suffix], draw))
            source = ["data=array", f"data.path=x.{suffix}"] + ["data.label_column=class"] * (suffix == "csv")
        ended = typed(folder, *source, *QUICK, "method=kmeans", "n_clusters=2", "hydra.run.dir=run")
        if assert_told(ended):
            refused += 1
            assert not (folder / "run").exists()
        else:
            assert_whole(folder / "run", len((folder / "run" / "assignments.csv").read_text().splitlines()) - 1, 2)
            done += 1
    assert done + refused == n_cases


def test_nonsense_on_the_command_line(tmp_path):
    draw, refused = random.Random(12), 0
    for number in range(CASES):
        folder = tmp_path / str(number)
        folder.mkdir()
        words = [f"{draw.choice(KEYS)}={draw.choice(VALUES)}" for _ in range(draw.randrange(1, 4))]
        keys = {word.partition("=")[0] for word in words}
        tiny = [text for text in TINY_DEC if text.partition("=")[0] not in keys]
        ended = typed(
            folder, *tiny, "baselines=none", *words, *([] if "hydra.run.dir" in keys else ["hydra.run.dir=run"])
        )
        if assert_told(ended):
            refused += 1
            assert [path for path in folder.rglob("*") if path.is_file()] == []
        else:
            assert list(folder.rglob("scores.json"))
    assert refused > CASES // 3
