"""Completion of words, through bash and zsh themselves where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deepcluster_pl.cli.completion import candidates
from deepcluster_pl.config.recipes import options

ROOT = Path(__file__).resolve().parents[2]


def completed(shell, tmp_path, line):
    """Return the words that the shell offers at the end of a line."""
    command = tmp_path / "bin" / "deepcluster"
    if not command.exists():
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m deepcluster_pl "$@"\n')
        command.chmod(0o755)
    program = (
        f'eval "$(deepcluster completion {shell})"; COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}; _deepcluster; '
        f'printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    environment = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([shell, "-c", program], capture_output=True, text=True, env=environment, check=True)
    return done.stdout.split()


def test_bash_is_offered_the_part_after_the_sign(tmp_path):
    assert completed("bash", tmp_path, "deepcluster data=di") == ["digits"]
    assert completed("bash", tmp_path, "deepcluster method=dec pretrain.max") == ["pretrain.max_epochs="]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_is_offered_whole_words(tmp_path):
    assert completed("zsh", tmp_path, "deepcluster data=di") == ["data=digits"]


def test_a_group_offers_its_recipes_in_a_list_too():
    assert candidates("method=", "deepcluster method=") == [f"method={name}" for name in options("method")]
    assert candidates("method=dec,i", "deepcluster -m method=dec,i") == ["method=dec,idec"]


def test_keys_are_those_of_the_recipe_that_was_chosen():
    assert candidates("method.gam", "deepcluster method=idec method.gam") == ["method.gamma="]
    assert candidates("method.gam", "deepcluster method=kmeans method.gam") == []
    assert candidates("callbacks.target_refresh.tol=", "deepcluster method=dec callbacks.target_refresh.tol=") == [
        "callbacks.target_refresh.tol=0.005"
    ]


def test_flags_and_shells_that_are_not_known(deepcluster):
    assert candidates("--c", "deepcluster --c") == ["--cfg", "--config-dir"]
    assert candidates("nonsense", "deepcluster nonsense") == []
    refused = deepcluster("completion", "fish")
    assert refused.code == 1
    assert "expected bash or zsh" in refused.err
