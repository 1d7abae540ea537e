"""Named tensors in a safetensors file that is whole or absent, and that shows when a bit of it was changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.atomic_files import atomic_write

_SUM = "sha256"


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors, with the SHA-256 of all of them in the file's metadata."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with atomic_write(path, "wb") as file:
        file.write(save(plain, metadata={_SUM: _digest(plain)}))


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read what `save_tensors` wrote; `UserError` where it was damaged since. Files without a sum are taken as is."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            expected = (file.metadata() or {}).get(_SUM)
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"{path} is damaged or no safetensors file: {error}") from error
    if expected is not None and expected != _digest(tensors):
        raise UserError(f"{path} is damaged: its checksum does not fit")
    return tensors


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
