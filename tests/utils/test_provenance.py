"""A result names the commit of its checkout, never that of a stranger's repository."""

from __future__ import annotations

import subprocess

import pytest
import torch

from deepcluster_pl.utils.provenance import commit, machine


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    package = tmp_path / "deepcluster_pl"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("seed: 0\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return package


def test_a_clean_checkout_names_its_commit(checkout):
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD")


@pytest.mark.parametrize("changed", ["deepcluster_pl/__init__.py", "conf/config.yaml", "deepcluster_pl/new.py"])
def test_changed_code_or_recipes_are_marked(checkout, changed):
    (checkout.parent / changed).write_text("# changed\n")
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD") + "-dirty"


def test_other_changed_files_leave_the_commit_clean(checkout):
    (checkout.parent / "notes.txt").write_text("mine")
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD")


def test_a_package_installed_inside_another_repository_has_no_commit(checkout):
    installed = checkout.parent / ".venv" / "deepcluster_pl"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    assert commit(installed) is None


def test_outside_of_any_repository_or_without_git_there_is_no_commit(tmp_path, checkout, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert commit(checkout) is None


def test_the_machine_names_its_processor():
    found = machine(torch.device("cpu"), "32-true", 3)
    assert found["accelerator"] == "cpu"
    assert found["processes"] == 3
    assert found["threads"] == torch.get_num_threads()
    assert len(found["processor"]) > 2
