"""Files of named tensors (safetensors) that are whole or absent, with notes, and a checksum that shows any damage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from deepcluster_pl.errors import UserError, unreadable
from deepcluster_pl.utils.atomic_files import atomic_write

_CHECKSUM, _NOTES = "sha256", "notes"
"""Keys of a file's metadata."""
_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 16 * 2**20


def save_tensors(tensors: Mapping[str, Tensor], path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write tensors, with the SHA-256 of all of them in the file's metadata.

    Args:
        tensors: tensors by name, on any device.
        path: the file; an old one is replaced.
        notes: texts by name, which are stored in the metadata; None for none.

    Raises:
        UserError: the disk is full, failing or not to be written.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    text = None if notes is None else json.dumps(dict(notes), sort_keys=True)
    metadata = {_CHECKSUM: _digest(plain, text), **({} if text is None else {_NOTES: text})}
    with atomic_write(path, "wb") as file:
        file.write(save(plain, metadata=metadata))


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors that `save_tensors` wrote; see `load_with_notes`."""
    return load_with_notes(path)[0]


def load_with_notes(path: Path) -> tuple[dict[str, Tensor], dict[str, str] | None]:
    """Read what `save_tensors` wrote, onto the CPU. Files without a checksum are taken as they are.

    Returns:
        Tensors by name, and the notes; None for a file without notes.

    Raises:
        UserError: the file cannot be read, or was damaged since it was written.
    """
    try:
        check_header(path)
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            metadata = file.metadata() or {}
        text = metadata.get(_NOTES)
        notes = None if text is None else json.loads(text)
        if not isinstance(notes, dict | None):
            raise ValueError("its notes are no texts by name")
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        raise unreadable(path, error, "is damaged or no safetensors file") from error
    if _CHECKSUM in metadata and metadata[_CHECKSUM] != _digest(tensors, text):
        raise UserError(f"{path} is damaged: its checksum does not fit")
    return tensors, notes


def check_header(path: Path) -> None:
    """Raise `ValueError` where the header of a safetensors file does not fit into it, or is absurdly long.

    All else is held against the file's size by safetensors itself: each tensor's type, shape and place.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if length > size - _LENGTH_BYTES or length > _MAX_HEADER_BYTES:
        limit = min(_MAX_HEADER_BYTES, max(0, size - _LENGTH_BYTES))
        raise ValueError(f"its header has {length:,} bytes, expected at most {limit:,}")


def _digest(tensors: Mapping[str, Tensor], notes: str | None) -> str:
    """Compute the SHA-256 of notes, names, types, shapes and contents, in the order of the names.

    Args:
        tensors: tensors by name, on the CPU.
        notes: as stored, or None.

    Returns:
        The digits.
    """
    digest = hashlib.sha256((notes or "").encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
