"""Reader of NumPy files, whose headers are held against the file's size before anything is allocated."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.opening import MAX_INFLATION, inflation_limit
from deepcluster_pl.errors import UserError, first_line

_MAX_HEADER_BYTES = 2**16
_LENGTH_BYTES = {1: 2, 2: 4, 3: 4}


def map_npy(path: Path) -> NDArray[Any]:
    """Map the array of a .npy file into memory, without reading it and without running code from it.

    Raises:
        UserError: the file is damaged, holds Python objects, or is shorter than its header has it.
    """
    try:
        with path.open("rb") as file:
            _check_header(file, path.stat().st_size, more_is_fine=True)
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged file can make the reader fail in any way
        raise _unreadable(path, error) from error
    if not isinstance(loaded, np.ndarray):
        raise UserError(f"{path.name} holds no array, expected one that numpy.save wrote")
    return loaded


def read_npz(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read arrays of an .npz file; its other members are not read.

    Args:
        path: the file.
        names: arrays to read; the first has to be there.

    Returns:
        Those of the arrays that the file holds, by name.

    Raises:
        UserError: the file is damaged, holds Python objects, lacks the first array, or would grow beyond measure.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            if names[0] not in members:
                listed = ", ".join(name[:40] for name in list(members)[:8]) + (", ..." if len(members) > 8 else "")
                raise UserError(f"{path.name}: found {listed or 'nothing'}, expected an array named {names[0]}")
            return {name: _read_member(archive, members[name]) for name in names if name in members}
    except UserError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error


def npz_names(path: Path) -> list[str]:
    """Return the names of the arrays in an .npz file; raise `UserError` where it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [member.filename.removesuffix(".npy") for member in archive.infolist()]
    except Exception as error:
        raise _unreadable(path, error) from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Read one array, after its size was held against its header and against its compressed bytes."""
    if member.file_size > inflation_limit(member.compress_size):
        raise ValueError(
            f"{member.filename} would grow from {member.compress_size:,} to {member.file_size:,} bytes, more than "
            f"{MAX_INFLATION} times; save it as .npy, or with numpy.savez"
        )
    with archive.open(member) as file:
        _check_header(file, member.file_size, more_is_fine=False)
    with archive.open(member) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        # The end of a member is read too, since only there its checksum is compared.
        file.read()
    return array


def _check_header(file: IO[bytes], n_bytes: int, more_is_fine: bool) -> None:
    """Raise `ValueError` where an array's header promises other bytes than there are.

    Args:
        file: the beginning of a .npy file.
        n_bytes: size of that file.
        more_is_fine: whether other content may follow the array, as in a file that arrays were appended to.
    """
    version = np.lib.format.read_magic(file)
    n_length = _LENGTH_BYTES[version[0]]
    length = int.from_bytes(file.read(n_length), "little")
    if length > min(_MAX_HEADER_BYTES, n_bytes):
        raise ValueError(f"its header is {length:,} bytes long, expected at most {_MAX_HEADER_BYTES:,}")
    text = io.BytesIO(length.to_bytes(n_length, "little") + file.read(length))
    read = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(text)
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded when allow_pickle=False")
    promised = math.prod(shape) * dtype.itemsize
    found = n_bytes - len(np.lib.format.MAGIC_PREFIX) - 2 - n_length - length
    if min(shape, default=0) < 0 or promised > found or (promised < found and not more_is_fine):
        raise ValueError(f"its header promises {promised:,} bytes of shape {_short(shape)}, found {found:,}")


def _short(shape: tuple[int, ...]) -> str:
    """Return a shape as text, cut where it is long."""
    text = str(shape)
    return text if len(text) <= 60 else text[:57] + "..."


def _unreadable(path: Path, error: Exception) -> UserError:
    """Return the error of a file that is no sound NumPy file."""
    return UserError(f"{path.name} cannot be read as a NumPy file: {first_line(error)[:300]}")
