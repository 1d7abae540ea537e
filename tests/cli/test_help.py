"""Help comes at once, without torch, and shows what there is."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time

import pytest

from deepcluster_pl.cli.help import overview
from deepcluster_pl.cli.main import COMMANDS
from deepcluster_pl.config.recipes import groups, options


def python(*arguments, cwd=None):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_takes_less_than_a_second_and_a_half_and_does_not_import_torch(command, tmp_path):
    code = f"import sys; sys.argv = ['deepcluster', *{command.split()}, '--help']\n"
    code += "from deepcluster_pl.cli.main import main\ntry:\n    main()\nfinally:\n    print('torch' in sys.modules)"
    durations = []
    for _ in range(3):
        began = time.perf_counter()
        result = python("-c", code, cwd=tmp_path)
        durations.append(time.perf_counter() - began)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "False"
    assert min(durations) < 1.5


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (
            ["method=dec"],
            "method=dec will cluster data=digits, n_clusters=10, seed=0; results go to outputs/digits/dec/",
        ),
        (["-m", "seed=0,1", "hydra.sweep.dir=s"], "a sweep over seed=0,1 will cluster data=digits; results go to s"),
        (["data.path=x.csv"], "method=auto will cluster data=array data.path=x.csv, n_clusters=auto, seed=0; results"),
    ],
)
def test_a_run_says_what_it_will_do_before_torch_is_imported(words, first, tmp_path):
    code = f"""
import sys
from deepcluster_pl.cli import opening
def say(line):
    print("torch" in sys.modules, line)
    raise SystemExit
opening.say = say
from deepcluster_pl.cli.main import main
main({words})"""
    assert python("-c", code, cwd=tmp_path).stdout.startswith(f"False {first}")


def test_help_lists_every_subcommand_and_every_group_with_its_options():
    lines = [line.split() for line in overview().splitlines() if line]
    listed = {words[0]: [name.rstrip("*") for name in words[1:]] for words in lines}
    assert {group: listed.get(group) for group in groups()} == {group: options(group) for group in groups()}
    assert set(COMMANDS) <= set(listed)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "run"])
def test_each_help_has_examples_of_its_own_command(command, deepcluster):
    shown = deepcluster(command, "--help")
    assert shown.code == 0
    section = shown.out.partition("examples")[2].partition("settings")[0]
    examples = re.findall(r"deepcluster ([^)\n]+?)(?:\)|  |\n)", section)
    assert any(shlex.split(example)[0] == command for example in examples)


def test_the_bare_package_imports_torch_only_for_what_needs_it():
    code = "import sys, deepcluster_pl as d; first = 'torch' in sys.modules; d.target_distribution; "
    assert python("-c", f"{code} print(first, 'torch' in sys.modules)").stdout.strip() == "False True"


def test_an_unknown_name_in_the_package_is_an_attribute_error():
    assert "has no attribute 'DeepClusterer'" in python("-c", "import deepcluster_pl as d; d.DeepClusterer").stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predcit", "run=x"], "'predcit' is no subcommand; did you mean predict?"),
        (["frobnicate"], "'frobnicate' is no subcommand; choose from run, predict"),
        (["table"], "the following arguments are required: folder; deepcluster table --help lists what there is"),
        (["table", "x", "--form", "csv"], "unrecognized arguments: --form csv"),
        (["predict", "rum=x"], "rum=x: did you mean run=?"),
        (["completion", "fish"], "completion fish: expected bash or zsh"),
    ],
)
def test_a_mistake_in_the_words_is_one_line(deepcluster, words, message):
    refused = deepcluster(*words)
    assert refused.code == 1
    assert message in refused.err
    assert refused.err.count("\n") == 1
