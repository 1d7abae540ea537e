"""Help comes at once, and shows what there is."""

from __future__ import annotations

import subprocess
import sys
import time

from deepcluster_pl.config.recipes import groups, options


def python(*arguments, cwd=None):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=cwd)


def test_help_takes_less_than_a_second_and_a_half(tmp_path):
    durations = []
    for _ in range(3):
        began = time.perf_counter()
        result = python("-m", "deepcluster_pl", "--help", cwd=tmp_path)
        durations.append(time.perf_counter() - began)
    assert result.returncode == 0
    assert min(durations) < 1.5


def test_help_lists_every_group_with_its_options(tmp_path):
    out = python("-m", "deepcluster_pl", "--help", cwd=tmp_path).stdout
    listed = {line.split()[0]: [name.rstrip("*") for name in line.split()[1:]] for line in out.splitlines() if line}
    assert {group: listed.get(group) for group in groups()} == {group: options(group) for group in groups()}
    assert "python -m deepcluster_pl -m method=" in out


def test_help_and_the_bare_package_do_not_import_torch():
    code = "import sys, deepcluster_pl, deepcluster_pl.cli.main as c; c.help_text(); print('torch' in sys.modules)"
    assert python("-c", code).stdout.strip() == "False"
    code = "import sys, deepcluster_pl as d; d.target_distribution; print('torch' in sys.modules)"
    assert python("-c", code).stdout.strip() == "True"


def test_an_unknown_name_in_the_package_is_an_attribute_error():
    assert "has no attribute 'DeepClusterer'" in python("-c", "import deepcluster_pl as d; d.DeepClusterer").stderr
