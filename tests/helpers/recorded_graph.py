"""A capture for the CPU that behaves as a CUDA graph does: it executes nothing, and a replay knows no Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

READS = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default, torch.ops.aten.lift_fresh.default}
"""Operations that wait for a device, or bring numbers of Python to it, which is not allowed in a capture."""


class Recording(TorchDispatchMode):
    """Records every operation with its arguments. Tensors that it changes are put back when it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []
        self._before: list[tuple[Tensor, Tensor]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in READS:
            raise RuntimeError("operation not permitted when stream is capturing")
        kwargs = kwargs or {}
        for name, value in zip((a.name for a in func._schema.arguments), args, strict=False):
            self._keep(func, name, value)
        for name, value in kwargs.items():
            self._keep(func, name, value)
        out = func(*args, **kwargs)
        self.calls.append((func, args, kwargs, out))
        return out

    def _keep(self, func: Any, name: str, value: Any) -> None:
        argument = next(a for a in func._schema.arguments if a.name == name)
        if argument.alias_info is not None and argument.alias_info.is_write:
            self._before += [(t, t.clone()) for t in tree_leaves(value) if isinstance(t, Tensor)]

    def put_back(self) -> None:
        """Undo what the recorded operations did to their arguments."""
        for tensor, value in reversed(self._before):
            tensor.copy_(value)

    @torch.no_grad()
    def replay(self) -> None:
        """Execute the operations again, on the same tensors."""
        for func, args, kwargs, out in self.calls:
            if any(a.alias_info is not None and not a.alias_info.is_write for a in func._schema.returns):
                continue  # a view of memory that is there already
            new = func(*args, **kwargs)
            for old, value in zip(tree_leaves(out), tree_leaves(new), strict=True):
                if isinstance(old, Tensor) and old is not value:
                    old.copy_(value)


class RecordedCapture:
    """Stands for `capture_on_gpu`, and counts captures and replays."""

    def __init__(self) -> None:
        self.captures = self.replays = 0

    def __call__(self, step: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        recording = Recording()
        self.captures += 1
        try:
            with recording:
                losses = step()
        finally:
            with torch.no_grad():
                recording.put_back()

        def replay() -> None:
            self.replays += 1
            recording.replay()

        return replay, losses
