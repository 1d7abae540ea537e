"""Files of tensors come back whole; a small file that declares terabytes is refused in one line."""

from __future__ import annotations

import json
import pickle
import struct

import pytest
import torch
from helpers.memory import memory_limit

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.tensor_files import load_tensors, load_with_notes, save_tensors


def safetensors(header, content=b"", length=None):
    """Return a file with this header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + content


def entry(shape, end, begin=0, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


HOSTILE = {
    "terabytes": safetensors({"a": entry([10**12], 4 * 10**12)}),
    "a shape beyond its place": safetensors({"a": entry([2**40], 8)}, bytes(8)),
    "two tensors at one place": safetensors({"a": entry([2], 8), "b": entry([2], 8)}, bytes(8)),
    "a place that ends before it begins": safetensors({"a": entry([2], 0, 8)}, bytes(8)),
    "a header of exabytes": safetensors({"a": entry([2], 8)}, bytes(8), length=2**63),
    "a header longer than the file": safetensors({"a": entry([2], 8)}, bytes(8), length=2**20),
    "a long header": safetensors(b"{" + b" " * (17 * 2**20) + b"}"),
    "brackets": safetensors(b'{"a":' * 100_000),
    "no header": safetensors(b""),
    "no bytes": b"",
    "a pickle": pickle.dumps([1, 2, 3]) * 100,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_tensors_that_are_not_there_are_refused_in_a_line_and_never_allocated(tmp_path, name):
    (tmp_path / "x.safetensors").write_bytes(HOSTILE[name])
    with (
        memory_limit(8),
        pytest.raises(UserError, match="is damaged or no safetensors file: ") as error,
    ):
        load_tensors(tmp_path / "x.safetensors")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_tensors_come_back(tmp_path):
    tensors = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3), "none": torch.empty(0, 4)}
    save_tensors(tensors, tmp_path / "x.safetensors")
    loaded = load_tensors(tmp_path / "x.safetensors")
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)


def test_notes_come_back_and_a_change_in_them_is_damage(tmp_path):
    file = tmp_path / "x.safetensors"
    save_tensors({"a": torch.ones(2)}, file)
    assert load_with_notes(file)[1] is None
    save_tensors({"a": torch.ones(2)}, file, {"seed": "12345"})
    assert load_with_notes(file)[1] == {"seed": "12345"}
    file.write_bytes(file.read_bytes().replace(b"12345", b"12346"))
    with pytest.raises(UserError, match="is damaged: its checksum does not fit"):
        load_tensors(file)
