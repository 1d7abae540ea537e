"""The way of someone who has never seen the project: the commands of docs/index.md, word for word, in a fresh folder.

What `pip install .` would do is done with the wheel that it builds, unpacked: the dependencies are here already.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALL = "pip install ."


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the examples and nothing else."""
    place = tmp_path_factory.mktemp("desk")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place / "dist"), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    zipfile.ZipFile(next((place / "dist").glob("*.whl"))).extractall(place / "site")
    (place / "home").mkdir()
    shutil.copytree(ROOT / "examples", place / "home" / "examples")
    return place


def commands() -> list[str]:
    """What the page says to type, in order."""
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    return [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.strip().splitlines()]


@pytest.mark.slow
def test_the_quick_start_leads_where_it_says(desk):
    environment = {**os.environ, "PYTHONPATH": str(desk / "site")}
    typed = commands()
    assert typed[0] == INSTALL
    said = []
    for line in typed[1:]:
        assert line.startswith("deepcluster ")
        line = line.replace("deepcluster", f"{sys.executable} -m deepcluster_pl", 1)
        done = subprocess.run(
            ["bash", "-c", line], cwd=desk / "home", env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        said.append(done.stdout)
    run = desk / "home" / "outputs" / "flowers"
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
        ["bash", "-c", following], cwd=desk / "home", env={**environment, "BROWSER": "echo"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, f"{following}\n{shown.stderr}"
    report = (run / "report.html").read_text(encoding="utf-8")
    assert report.count('class="card"') == 3 + ("in no group" in fitted)
    assert "petal_length_cm" in report
    with (desk / "home" / "new_clusters.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 30
    assert re.search(r"^n_clusters=\d: ", swept, re.MULTILINE)
    assert json.loads((run / "scores.json").read_text())["fit"]["n"] == 120


def test_what_the_way_names_is_there():
    named = re.findall(r"\]\(([\w/]+\.md)\)", (ROOT / "docs" / "index.md").read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / "docs" / name).is_file()] == []
