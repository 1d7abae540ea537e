"""The script that measures picture recipes: what chooses needs no label, and finds what it should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.pictures import library

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ("-m", "scripts.benchmarks.photos")
HERE = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.slow
def test_whitening_is_chosen_by_copies_that_find_their_own_picture(tmp_path):
    library(tmp_path / "photos", 40)
    for path in (tmp_path / "photos").rglob("*.png"):
        path.rename(tmp_path / "photos" / path.name)  # no folder tells what is in it
    command = [sys.executable, *SCRIPT, "choose", "--root", str(tmp_path / "photos")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=HERE)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if re.match(r"\| \d", line)]
    assert [row[0] for row in rows] == ["0.0", "0.25", "0.5", "0.75", "1.0"]
    assert all(0.3 < float(row[1]) <= 1 for row in rows)  # by chance it would be a fortieth


def test_a_root_is_needed_for_what_reads_one():
    done = subprocess.run([sys.executable, *SCRIPT, "score"], capture_output=True, text=True, check=False, env=HERE)
    assert done.returncode == 2
    assert "score needs --root" in done.stderr


def test_the_page_has_a_place_for_every_table_and_they_are_filled():
    text = (ROOT / "docs" / "photos.md").read_text(encoding="utf-8")
    for what in ("speed", "choose", "score"):
        table = re.search(rf"<!-- {what} -->\n(.*?)<!-- end -->", text, re.DOTALL)
        assert table is not None
        assert len(table[1].splitlines()) >= 5
