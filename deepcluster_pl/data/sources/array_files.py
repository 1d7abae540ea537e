"""Read samples, and labels where there are any, from a file of arrays; sizes are held against the file's first."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.sources import array_child
from deepcluster_pl.data.sources.array_child import choose
from deepcluster_pl.data.sources.numpy_files import map_npy, npz_names, read_npz
from deepcluster_pl.data.tables.names import shorten
from deepcluster_pl.data.tables.opening import MAX_INFLATION, inflation_limit
from deepcluster_pl.errors import UserError, first_line

Arrays = tuple[NDArray[Any], NDArray[Any] | None]
"""Samples (N, ...), and labels (N,) or None."""
_SPARSE_PARTS = ("indices", "indptr", "format", "shape", "data")


def read_arrays(path: Path, key: str | None) -> Arrays:
    """Read samples and labels.

    Args:
        path: a .npy, .npz, .pt, .safetensors, .mat or .h5 file.
        key: name of the samples among several arrays; None takes `x`, or the only one there is.

    Raises:
        UserError: the file is damaged, has several arrays and none of them is chosen, or would grow beyond measure.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return map_npy(path), None
    try:
        return _READERS[suffix](path, key)
    except UserError:
        raise
    except Exception as error:  # a damaged file can make a reader fail in any way
        raise UserError(f"{path.name} cannot be read as a {suffix} file: {first_line(error)[:300]}") from error


def _choose(names: Iterable[str], key: str | None, path: Path) -> tuple[str, str | None]:
    """Return the name of the samples, and that of labels or None."""
    found = list(names)
    chosen = choose(found, key)
    if chosen is not None:
        return chosen
    listed = shorten(found) or "nothing"
    if key is not None:
        raise UserError(f"data.key={key}: {path.name} has no such array; found {listed}")
    raise UserError(f"{path.name}: found {listed}, expected an array named x; type data.key=<name>")


def _check_grown(n_bytes: int, path: Path) -> None:
    """Raise `ValueError` for arrays larger than a multiple of their file."""
    if n_bytes > inflation_limit(path.stat().st_size):
        raise ValueError(f"it would grow to {n_bytes:,} bytes, more than {MAX_INFLATION} times its size")


def _read_npz(path: Path, key: str | None) -> Arrays:
    """Read an archive of NumPy arrays, or one of SciPy's sparse matrices."""
    names = npz_names(path)
    if all(part in names for part in _SPARSE_PARTS) and key is None:
        return _read_sparse(path), None
    samples, labels = _choose(names, key, path)
    arrays = read_npz(path, [samples, *([labels] if labels else [])])
    return arrays[samples], arrays.get(labels) if labels else None


def _read_sparse(path: Path) -> NDArray[np.float32]:
    """Read a sparse matrix as a dense one."""
    from scipy import sparse

    parts = read_npz(path, list(_SPARSE_PARTS))
    shape = tuple(int(n) for n in parts["shape"].tolist())
    kind = parts["format"].item()
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    if len(shape) != 2 or min(shape) < 0 or kind not in ("csr", "csc"):
        raise ValueError(f"found a sparse matrix of format {kind[:20]!r} and shape {shape}, expected csr or csc")
    n_bytes = 4 * math.prod(shape)
    if n_bytes > inflation_limit(path.stat().st_size):
        raise UserError(
            f"{path.name}: the sparse matrix of shape {shape} has {n_bytes:,} bytes when it is dense; reduce it first, "
            f"such as by sklearn.decomposition.TruncatedSVD"
        )
    make = sparse.csr_matrix if kind == "csr" else sparse.csc_matrix
    matrix = make((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
    matrix.check_format(full_check=True)
    return np.asarray(matrix.toarray(), dtype=np.float32)


def _read_torch(path: Path, key: str | None) -> Arrays:
    """Read tensors that `torch.save` wrote, without running code of the file."""
    import torch

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _check_grown(sum(member.file_size for member in archive.infolist()), path)
    loaded = torch.load(path, map_location="cpu", weights_only=True)
    tensors = {"x": loaded} if isinstance(loaded, torch.Tensor) else loaded
    if not isinstance(tensors, Mapping):
        raise ValueError(f"found {type(loaded).__name__}, expected a tensor, or tensors by name")
    named = {str(name): value for name, value in tensors.items() if isinstance(value, torch.Tensor)}
    return _tensors(named, key, path)


def _read_safetensors(path: Path, key: str | None) -> Arrays:
    """Read tensors of a safetensors file."""
    from safetensors import safe_open

    from deepcluster_pl.utils.tensor_files import check_header

    check_header(path)
    with safe_open(path, framework="pt") as file:
        names = list(file.keys())
        samples, labels = _choose(names, key, path)
        return _tensors({name: file.get_tensor(name) for name in (samples, labels) if name}, samples, path)


def _tensors(tensors: Mapping[str, Any], key: str | None, path: Path) -> Arrays:
    """Return samples and labels of tensors; formats that NumPy does not know become float32."""
    import torch

    samples, labels = _choose(tensors, key, path)

    def array(name: str) -> NDArray[Any]:
        tensor = tensors[name].detach()
        if tensor.layout != torch.strided:
            raise ValueError(f"{name} is {tensor.layout}, expected a dense tensor")
        _check_grown(tensor.numel() * tensor.element_size(), path)  # a tensor may repeat what is stored once
        known = tensor.dtype in (torch.float16, torch.float32, torch.float64) or not tensor.is_floating_point()
        return np.ascontiguousarray((tensor if known else tensor.float()).resolve_conj().numpy())

    return array(samples), array(labels).reshape(-1) if labels else None


def _read_in_child(path: Path, key: str | None) -> Arrays:
    """Read MATLAB's format or HDF5 in a process of its own, which may crash without harm."""
    limit = inflation_limit(path.stat().st_size)
    with tempfile.TemporaryDirectory() as folder:
        arguments = [path.suffix.lower(), str(path.absolute()), key or "", str(limit), folder]
        child = subprocess.run(
            [sys.executable, "-I", array_child.__file__, *arguments], capture_output=True, text=True, check=False
        )
        try:
            answer = json.loads(child.stdout.splitlines()[-1])
        except (IndexError, ValueError) as error:
            raise ValueError(f"its reader ended with code {child.returncode}") from error
        if "missing" in answer:
            raise UserError(
                f"reading {path.suffix} needs {answer['missing']}; type: pip install 'deepcluster_pl[hdf5]'"
            )
        if "error" in answer:
            raise ValueError(answer["error"])
        _, labels = _choose(answer["names"], key, path)
        arrays = [np.load(Path(folder) / f"{i}.npy", allow_pickle=False) for i in range(2 if labels else 1)]
    return arrays[0], arrays[1].reshape(-1) if labels else None


_READERS: dict[str, Callable[[Path, str | None], Arrays]] = {
    ".npz": _read_npz, ".pt": _read_torch, ".pth": _read_torch, ".safetensors": _read_safetensors,
    ".mat": _read_in_child, ".h5": _read_in_child, ".hdf5": _read_in_child,
}  # fmt: skip
ARRAY_SUFFIXES = (".npy", *_READERS)
