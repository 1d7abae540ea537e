"""Compile a net with `torch.compile` where the machine can; names of weights, and so checkpoints, stay."""

from __future__ import annotations

import torch
from torch import Tensor

from deepcluster_pl.errors import first_line
from deepcluster_pl.nets.base import Autoencoder


def compile_net(net: Autoencoder) -> str | None:
    """Compile encoder and decoder in place, at their first batch.

    Returns:
        None if it works. Otherwise the reason in one line, and the net is as it was.
    """
    device = net.shift.device

    def probe(x: Tensor) -> Tensor:
        return x.sin() + 1

    # A tiny function shows whether compiler, driver and headers are there, before the net is touched
    try:
        torch.compile(probe)(torch.zeros(2, device=device))
    except Exception as error:  # a missing compiler, driver or header raises errors of many types
        return f"{type(error).__name__}: {first_line(error)}"
    net.encoder.compile()
    net.decoder.compile()
    return None
