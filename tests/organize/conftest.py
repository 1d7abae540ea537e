"""A library with hostile file names, a run on it, and the command that organizes it."""

from __future__ import annotations

import csv
import json
import os

import pytest
from helpers.organizing import run_organize

HOSTILE = [
    "a b.jpg", "q\"u'o.jpg", "<script>.jpg", "=cmd().jpg", "#1.jpg", "line\nend.jpg", os.fsdecode(b"caf\xe9.jpg"),
    "照片.jpg",
]  # fmt: skip


@pytest.fixture
def library(tmp_path):
    """A run on a library of hostile names, written as a run writes it, two pictures of one name among them."""
    root, run = tmp_path / "library", tmp_path / "run"
    names = [f"{folder}/{name}" for folder in ("2019", "other") for name in HOSTILE]
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"picture %d" % number)
    (run / "config").mkdir(parents=True)
    (run / "config" / "config.yaml").write_text(f"data: {{root: {json.dumps(str(root))}}}\n")
    (run / "config" / "hydra.yaml").write_text(f"hydra: {{runtime: {{cwd: {tmp_path}}}}}\n")
    (run / "config" / "overrides.yaml").write_text("[]\n")
    with (run / "assignments.csv").open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = [[name, "fit", number % 3] for number, name in enumerate(names)]
        csv.writer(file).writerows([["id", "part", "cluster"], *rows])
    with (run / "pictures.csv").open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        dates, places = ["2019-07-28T18:03:11"] * 8 + [""] * 8, [["", ""], [30.2, 4.0]] * 8
        facts = [[name, date, *place] for name, date, place in zip(names, dates, places, strict=True)]
        csv.writer(file).writerows([["id", "taken", "latitude", "longitude"], *facts])
    return root, run, names


@pytest.fixture
def organize(capsys):
    """Call with settings; gives the exit code, out and err."""

    def call(*settings: object) -> tuple[int, str, str]:
        code = run_organize(*settings)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call
