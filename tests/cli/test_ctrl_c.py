"""Ctrl-C outside of training: exit code 130 and one line; only a run gets the command that continues it."""

from __future__ import annotations

from importlib import import_module

import pytest

from deepcluster_pl.cli.main import COMMANDS

WORDS = {
    "predict": ["run=x"],
    "export": ["run=x"],
    "organize": ["run=x"],
    "table": ["x"],
    "choose-k": ["x"],
    "completion": ["bash"],
}


def interrupt(*arguments):
    raise KeyboardInterrupt


def test_every_other_subcommand_is_tried():
    assert WORDS.keys() == COMMANDS.keys() - {"run"}


@pytest.mark.parametrize("command", WORDS)
def test_a_subcommand_that_cannot_be_resumed_gives_no_advice(deepcluster, monkeypatch, command):
    monkeypatch.setattr(import_module(COMMANDS[command]), "execute", interrupt)
    outcome = deepcluster(command, *WORDS[command])
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "interrupted\n")


@pytest.mark.parametrize("words", [(), ("method=dec",), ("run", "method=dec"), ("-m", "seed=0,1")])
def test_a_run_names_the_command_that_continues_it(deepcluster, monkeypatch, words):
    monkeypatch.setattr(import_module(COMMANDS["run"]), "execute", interrupt)
    outcome = deepcluster(*words)
    assert outcome.code == 130
    assert outcome.err == "interrupted; type deepcluster resume=<run folder> to continue from the last checkpoint\n"
