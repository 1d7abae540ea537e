"""An interrupt that no handler of ours has met, as in an import: exit code 130, and one line."""

from __future__ import annotations

from importlib import import_module

import pytest

from deepcluster_pl.cli.main import COMMANDS

WORDS = {
    "run": ["method=dec"],
    "predict": ["run=x"],
    "export": ["run=x"],
    "organize": ["run=x"],
    "table": ["x"],
    "choose-k": ["x"],
    "completion": ["bash"],
}


def interrupt(*arguments):
    raise KeyboardInterrupt


def test_every_subcommand_is_tried():
    assert WORDS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("command", WORDS)
def test_a_command_that_has_not_begun_says_that_it_can_be_typed_again(deepcluster, monkeypatch, command):
    monkeypatch.setattr(import_module(COMMANDS[command]), "execute", interrupt)
    outcome = deepcluster(command, *WORDS[command])
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "interrupted; type the command again\n")
