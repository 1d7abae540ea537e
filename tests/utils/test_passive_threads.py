"""The command line lets threads sleep while they wait, before torch is imported, and leaves the user's own choice."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from deepcluster_pl.utils.passive_threads import wait_passively


@pytest.mark.parametrize(("before", "after"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_the_policy_is_passive_unless_the_user_chose_one(monkeypatch, before, after):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if before:
        monkeypatch.setenv("OMP_WAIT_POLICY", before)
    wait_passively()
    assert os.environ["OMP_WAIT_POLICY"] == after
    monkeypatch.setenv("OMP_WAIT_POLICY", after)  # restored afterwards


def test_the_command_line_sets_it_before_torch_is_imported():
    code = "import sys, deepcluster_pl.cli.main; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
