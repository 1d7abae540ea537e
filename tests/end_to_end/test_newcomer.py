"""The way of someone who has never seen the project: the commands of docs/index.md, word for word, in a fresh folder.

`test_wheel.py` shows that what `pip install .` would install runs as the checkout does.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.processes import run_command

ROOT = Path(__file__).resolve().parents[2]
INSTALL = "pip install ."


@pytest.fixture
def home(tmp_path):
    """A folder with the examples and nothing else."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


def commands() -> list[str]:
    """Return the commands that the page says to type, in order."""
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    return [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.strip().splitlines()]


@pytest.mark.slow
def test_the_quick_start_leads_where_it_says(home):
    typed = commands()
    assert typed[0] == INSTALL
    said = []
    for line in typed[1:]:
        name, *words = shlex.split(line)
        assert name == "deepcluster"
        done = run_command(words, home)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        said.append(done.stdout)
    run = home / "outputs" / "flowers"
    fitted, _, swept = said
    assert "auto on array, 3 clusters" in fitted
    assert "chosen without labels: " in fitted
    # The verdict ends with a command that works as it is printed
    assert "Found 3 groups of" in fitted
    (following,) = re.findall(r"^next: (.*)$", fitted, re.MULTILINE)
    following = re.sub(
        r"^(deepcluster|python)(?= )",
        lambda m: {"deepcluster": f"{sys.executable} -m deepcluster_pl", "python": sys.executable}[m[0]],
        following,
    )
    shown = subprocess.run(
        ["bash", "-c", following], cwd=home, env={**os.environ, "BROWSER": "echo"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, f"{following}\n{shown.stderr}"
    report = (run / "report.html").read_text(encoding="utf-8")
    assert report.count('class="card"') == 3 + ("in no group" in fitted)
    assert "petal_length_cm" in report
    with (home / "new_clusters.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 30
    assert re.search(r"^n_clusters=\d: ", swept, re.MULTILINE)
    assert json.loads((run / "scores.json").read_text())["fit"]["n"] == 120


def test_what_the_way_names_is_there():
    named = re.findall(r"\]\(([\w/]+\.md)\)", (ROOT / "docs" / "index.md").read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / "docs" / name).is_file()] == []
