"""Every example runs as it stands, and says what it promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAYS = {
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


def test_every_example_is_known_here():
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == set(SAYS)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SAYS))
def test_an_example_runs_from_any_folder(tmp_path, name):
    done = run(tmp_path, str(ROOT / "examples" / name))
    assert done.returncode == 0, done.stderr
    assert SAYS[name] in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_recipe_of_the_examples_is_found(tmp_path):
    recipes = str(ROOT / "examples" / "own_recipe")
    quick = ("data=wine", "n_clusters=3", "pretrain.max_epochs=1", "fit.max_steps=2", "hydra.run.dir=run")
    done = run(tmp_path, "-m", "deepcluster_pl", "--config-dir", recipes, "method=small_dec", *quick)
    assert done.returncode == 0, done.stderr
    assert "small_dec on wine" in done.stdout
