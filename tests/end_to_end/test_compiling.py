"""Compiled nets: the same numbers, the same names of weights, and a warning where nothing can compile."""

from __future__ import annotations

import shutil

import pytest
import torch
from helpers.command_line import TINY_DEC

from deepcluster_pl.nets.compile import compile_net
from deepcluster_pl.nets.mlp import MLPAutoencoder


def small():
    torch.manual_seed(0)
    return MLPAutoencoder((6,), [8, 3], "relu", None, "fan_in_uniform")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")
def test_a_compiled_net_gives_what_it_gave_and_keeps_the_names_of_its_weights():
    plain, compiled = small(), small()
    assert compile_net(compiled) is None
    assert list(compiled.state_dict()) == list(plain.state_dict())
    x = torch.rand(5, 6)
    outputs = []
    for net in (plain, compiled):
        loss = (net.decode(net.encode(x)) - x).square().mean()
        loss.backward()
        outputs.append((loss.detach(), *(parameter.grad for parameter in net.parameters())))
    for expected, found in zip(*outputs, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_where_nothing_can_compile_the_reason_is_given_and_the_net_stays(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda *_: fails)
    net = small()
    assert compile_net(net) == "RuntimeError: no compiler"
    assert net.encoder._compiled_call_impl is None


def fails(*_):
    raise RuntimeError("no compiler\nand more")


@pytest.mark.usefixtures("uncompilable")
def test_a_run_warns_and_goes_on_as_if_it_had_not_been_asked(cli_run):
    asked = cli_run(*TINY_DEC, "compile=true", name="asked")
    plain = cli_run(*TINY_DEC, name="plain")
    assert asked.code == 0, asked.err
    assert "warning: compile=true has no effect here (RuntimeError: no compiler)" in asked.out
    assert asked.labels == plain.labels


@pytest.fixture
def uncompilable(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda *_: fails)
