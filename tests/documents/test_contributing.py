"""CONTRIBUTING.md is true: its example of a method runs as it stands, and its list of files leaves none out."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CODE = dict(re.findall(r"^`([\w/.]+)`\n\n```\w+\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
"""Content of each fenced block by the path before it."""
LISTED = re.findall(r"^\| `([\w/.]+)` \| ", TEXT, re.MULTILINE)
NEW = re.findall(r"^\| `([\w/.]+)` \| new: ", TEXT, re.MULTILINE)
EXISTING = "dkm"
"""A method that is in every list of methods."""
QUICK = (
    "method=pull", "data=wine", "n_clusters=3", "net.dims=[16,4]", "pretrain.max_epochs=2", "fit.max_steps=20",
    "callbacks.target_refresh.tol=0", "baselines=none", "trainer.accelerator=cpu", "hydra.run.dir=run",
)  # fmt: skip
SCANNED = ("deepcluster_pl", "conf", "tests", "scripts", "docs", "examples")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the package, its recipes and the tests of recipes, with the files of the example."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("deepcluster_pl", "conf", "tests/helpers", "tests/config"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests/conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    for name, text in CODE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def in_checkout(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_example_is_a_whole_method_in_four_files_and_its_module_is_short():
    assert list(CODE) == NEW
    assert len(NEW) == 4
    assert len(CODE["deepcluster_pl/methods/pull.py"].splitlines()) <= 60


@pytest.mark.slow
def test_the_example_runs_from_the_command_line_and_predicts_what_it_found(checkout):
    done = in_checkout(checkout, "deepcluster_pl", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "pull on wine, 3 clusters" in done.stdout
    scores = json.loads((checkout / "run" / "scores.json").read_text())
    assert (scores["method"], scores["steps"], sum(scores["fit"]["cluster_sizes"])) == ("pull", 20, 178)
    curves = (checkout / "run/fit/metrics.csv").read_text().splitlines()
    assert {"fit/mse", "fit/distance"} <= {row.split(",")[2] for row in curves}
    done = in_checkout(checkout, "deepcluster_pl", "predict", "run=run", "to=again.csv")
    assert done.returncode == 0, done.stderr
    again, before = (
        [row["cluster"] for row in csv.DictReader((checkout / name).read_text().splitlines())]
        for name in ("again.csv", "run/assignments.csv")
    )
    assert again == before


@pytest.mark.slow
def test_the_example_passes_its_own_test_and_those_of_recipes(checkout):
    tests = ("tests/methods/test_pull.py", "tests/config/test_recipes.py")
    done = in_checkout(checkout, "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", "pull or knob")
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 10


def test_the_example_keeps_the_rules_of_the_code(checkout):
    files = [name for name in NEW if name.endswith(".py")]
    for rule in (("check",), ("format", "--check")):
        done = in_checkout(checkout, "ruff", *rule, "--no-cache", *files)
        assert done.returncode == 0, done.stdout


def test_every_file_that_names_a_method_is_listed():
    named = re.compile(rf"(?<![a-z0-9]){EXISTING}(?![a-z0-9])", re.IGNORECASE)
    files = [path for name in SCANNED for path in (ROOT / name).rglob("*")] + list(ROOT.glob("*"))
    kinds = {".py", ".yaml", ".yml", ".md", ".toml"}
    # The page itself has no other method's name, and recorded runs are not edited by hand
    own = {ROOT / "CONTRIBUTING.md", Path(__file__).resolve()}
    naming = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if path.suffix in kinds and path not in own and path.is_file() and named.search(path.read_text("utf-8"))
    }
    expected = {name.replace("pull", EXISTING) for name in LISTED}
    assert {"named but not listed": naming - expected, "listed but not named": expected - naming} == {
        "named but not listed": set(), "listed but not named": set(),
    }  # fmt: skip
    assert len(LISTED) == len(set(LISTED))
