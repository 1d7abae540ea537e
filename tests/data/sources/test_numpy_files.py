"""Headers of NumPy files are held against the file's size: terabytes that a small file declares are never allocated."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest
from helpers.memory import memory_limit

from deepcluster_pl.data.sources.numpy_files import map_npy, read_npz
from deepcluster_pl.errors import UserError


def npy(shape="(3, 2)", dtype="'<f8'", content=bytes(48), version=1, length=None):
    """Return a .npy file with this header."""
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".encode() + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + content


HOSTILE = {
    "terabytes": npy("(1000000000, 1000000)"),
    "more than any memory": npy(f"({2**62}, {2**62})"),
    "long texts": npy("(3,)", "'<U2000000000'"),
    "a void type": npy("(1,)", "'|V2000000000'"),
    "a structure": npy("(1,)", "[('a', '<f8', (100000, 100000))]"),
    "a negative length": npy("(-3, -2)"),
    "one row too many": npy("(4, 2)"),
    "a header of gigabytes": npy(version=2, length=2**32 - 1),
    "brackets": npy("(" * 9000),
    "objects": npy("(6,)", "'|O'"),
    "no type": npy(dtype="'<x9'"),
    "no version": npy(version=9),
    "nothing": b"",
}


def assert_one_short_line(error):
    text = str(error.value)
    assert "cannot be read as a NumPy file: " in text
    assert "\n" not in text
    assert len(text) < 400


@pytest.mark.parametrize("name", HOSTILE)
def test_an_array_that_is_not_there_is_refused_and_never_allocated(tmp_path, name):
    (tmp_path / "x.npy").write_bytes(HOSTILE[name])
    with memory_limit(8), pytest.raises(UserError) as error:
        map_npy(tmp_path / "x.npy")
    assert_one_short_line(error)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("member", ["x", "y"])
def test_a_member_that_is_not_there_is_refused_and_never_allocated(tmp_path, name, member):
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for other in "xy":
            archive.writestr(f"{other}.npy", HOSTILE[name] if other == member else npy())
    with memory_limit(8), pytest.raises(UserError) as error:
        read_npz(tmp_path / "x.npz", ["x", "y"])
    assert_one_short_line(error)


def test_an_array_that_would_inflate_beyond_measure_is_refused_before_it_does(tmp_path):
    rows = 2**20
    with (
        zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w") as file,
    ):
        file.write(npy(f"({128 * rows},)", "'|u1'", b""))
        for _ in range(128):
            file.write(bytes(rows))
    assert (tmp_path / "bomb.npz").stat().st_size < 200_000
    with memory_limit(8), pytest.raises(UserError, match=r"x\.npy would grow from .* more than 200 times; save it as"):
        read_npz(tmp_path / "bomb.npz", ["x"])


def test_a_directory_that_lies_about_a_member_is_noticed(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.arange(1000.0))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 20 : entry + 28] = struct.pack("<II", 2**31, 2**31)
    (tmp_path / "x.npz").write_bytes(content)
    with memory_limit(8), pytest.raises(UserError) as error:
        read_npz(tmp_path / "x.npz", ["x"])
    assert_one_short_line(error)


def test_members_that_nobody_asked_for_are_not_read(tmp_path, monkeypatch):
    inner = io.BytesIO()
    np.savez(inner, x=np.ones(3))
    x = np.arange(6.0).reshape(3, 2)
    np.savez(tmp_path / "x.npz", x=x)
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr("more.npz", inner.getvalue())
        archive.writestr("z.npy", HOSTILE["objects"])
        archive.writestr("../../evil.npy", b"")
    opened = []
    whole = zipfile.ZipFile.open
    monkeypatch.setattr(
        zipfile.ZipFile, "open", lambda self, name, *a: opened.append(name.filename) or whole(self, name, *a)
    )
    np.testing.assert_array_equal(read_npz(tmp_path / "x.npz", ["x", "y"])["x"], x)
    assert set(opened) == {"x.npy"}


def test_an_archive_of_many_other_names_is_a_short_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for number in range(300):
            archive.writestr(f"{number}{'n' * 500}.npy", b"")
    with pytest.raises(UserError, match=r"x\.npz: found 0n.*, \.\.\., expected an array named x") as error:
        read_npz(tmp_path / "x.npz", ["x"])
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.uint8, np.bool_, ">i2", "<U5"])
def test_sound_arrays_come_back(tmp_path, order, dtype):
    x = np.asarray(np.arange(24).reshape(4, 3, 2), dtype=dtype, order=order)
    np.save(tmp_path / "x.npy", x)
    np.savez_compressed(tmp_path / "x.npz", x=x, y=x[:, 0, 0])
    np.testing.assert_array_equal(map_npy(tmp_path / "x.npy"), x)
    arrays = read_npz(tmp_path / "x.npz", ["x", "y"])
    np.testing.assert_array_equal(arrays["x"], x)
    np.testing.assert_array_equal(arrays["y"], x[:, 0, 0])


def test_arrays_that_were_appended_to_a_file_do_no_harm(tmp_path):
    with (tmp_path / "x.npy").open("wb") as file:
        np.save(file, np.arange(3.0))
        np.save(file, np.arange(5.0))
    assert map_npy(tmp_path / "x.npy").tolist() == [0, 1, 2]


def test_names_of_a_structure_may_be_of_any_script(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(2, dtype=[("größe", "<f8"), ("大", "<i4")]))
    assert map_npy(tmp_path / "x.npy").shape == (2,)
