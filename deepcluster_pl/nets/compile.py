"""`torch.compile` for a net, where the machine can; names of weights, and so checkpoints, stay as they are."""

from __future__ import annotations

import torch
from torch import Tensor

from deepcluster_pl.nets.base import Autoencoder


def compile_net(net: Autoencoder) -> str | None:
    """Have encoder and decoder compiled at their first batch, in place.

    Returns:
        Why that cannot be done here, in one line, the net being as it was; None where it can.
    """
    device = net.shift.device

    def probe(x: Tensor) -> Tensor:
        return x.sin() + 1

    try:
        torch.compile(probe)(torch.zeros(2, device=device))
    except Exception as error:  # whatever a missing compiler, driver or header comes to
        lines = [line for line in str(error).splitlines() if line.strip()]
        return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"
    net.encoder.compile()
    net.decoder.compile()
    return None
