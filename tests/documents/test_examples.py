"""Every example runs as it stands, and prints its promised line."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PRINTS = {
    "from_python.py": "the same after loading: True",
    "in_a_pipeline.py": "chosen: ",
    "images.py": "its center decodes to",
    "from_a_run.py": "ready for new samples of 13 features",
}


def run(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_every_example_is_tested_and_every_file_is_on_the_page():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(PRINTS)
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    entries = {path.name for path in EXAMPLES.iterdir()} - {"README.md", "__pycache__"}
    assert {name for name in entries if f"[{name}" not in page} == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PRINTS))
def test_an_example_runs_from_any_folder(tmp_path, name):
    done = run(tmp_path, str(EXAMPLES / name))
    assert done.returncode == 0, done.stderr
    assert PRINTS[name] in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_command_of_the_page_runs_the_recipe(tmp_path):
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    command = re.findall(r"^    deepcluster (.*)$", page, re.MULTILINE)
    assert len(command) == 1
    typed = shlex.split(command[0].replace("examples/", f"{EXAMPLES}/"))
    quick = ("pretrain.max_epochs=1", "fit.max_steps=2", "hydra.run.dir=run")
    done = run(tmp_path, "-m", "deepcluster_pl", *typed, *quick)
    assert done.returncode == 0, done.stderr
    assert "small_dec on wine" in done.stdout
