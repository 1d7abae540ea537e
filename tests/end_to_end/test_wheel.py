"""The wheel carries its recipes, and runs from any working directory without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deepcluster_pl.config.recipes import conf_dir

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def run(python_path, cwd, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(python_path)}
    return subprocess.run(
        [sys.executable, "-m", "deepcluster_pl", *arguments],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_wheel_holds_every_recipe_and_no_test(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    recipes = {f"deepcluster_pl/conf/{path.relative_to(conf_dir()).as_posix()}" for path in conf_dir().rglob("*.yaml")}
    assert recipes <= names
    assert "deepcluster_pl/py.typed" in names
    assert not [name for name in names if name.startswith(("tests", "conf", "scripts"))]
    metadata = next(name for name in names if name.endswith("entry_points.txt"))
    assert "deepcluster = deepcluster_pl.cli.main:main" in zipfile.ZipFile(wheel).read(metadata).decode()


def test_it_runs_unpacked_from_any_folder(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "elsewhere").mkdir()
    result = run(tmp_path / "site", tmp_path / "elsewhere", "data=blobs", "method=kmeans", "n_clusters=3")
    assert result.returncode == 0, result.stderr
    assert len(list((tmp_path / "elsewhere" / "outputs" / "blobs" / "kmeans").iterdir())) == 1


def test_a_bare_checkout_runs_from_any_folder(tmp_path):
    result = run(ROOT, tmp_path, "data=blobs", "method=kmeans", "--cfg", "job")
    assert result.returncode == 0, result.stderr
    assert "name: kmeans" in result.stdout
