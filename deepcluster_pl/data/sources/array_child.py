"""Read .mat and .h5 in a process of its own: the libraries behind them can crash on damaged files.

This file is also the program of that process, so it imports nothing of the package.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES, LABELS = ("x", "X", "data", "embeddings", "features"), ("y", "labels", "target")


def choose(found: Sequence[str], key: str | None) -> tuple[str, str | None] | None:
    """Return the name of the samples, and that of labels or None; None where the names leave it open.

    Args:
        found: names of all arrays.
        key: the name that was typed; None takes `x`, or the only array there is.

    >>> choose(["emb", "y"], None), choose(["a", "b"], None)
    (('emb', 'y'), None)
    """
    labels = next((name for name in LABELS if name in found and name != key), None)
    if key is not None:
        return (key, labels) if key in found else None
    named = [name for name in SAMPLES if name in found] or [name for name in found if name != labels]
    return (named[0], labels) if len(named) == 1 or (named and named[0] in SAMPLES) else None


def read_mat(path: str, key: str | None, limit: int) -> dict[str, Any]:
    """Return the names, and the chosen arrays, of a MATLAB file of the versions 4 to 7.2."""
    from scipy.io import loadmat, whosmat

    found = {
        name: shape
        for name, shape, kind in whosmat(path)
        if not name.startswith("__") and kind not in ("cell", "struct", "object", "char", "function", "opaque")
    }
    chosen = choose(list(found), key)
    if chosen is None:
        return {"names": list(found)}
    wanted = [name for name in chosen if name]
    check_size(sum(8 * math.prod(found[name]) for name in wanted), limit)
    loaded = loadmat(path, variable_names=wanted)
    return {"names": list(found), "arrays": [_dense(loaded[name], limit) for name in wanted]}


def _dense(array: Any, limit: int) -> Any:
    """Return a matrix as an array; sparse ones become dense."""
    if hasattr(array, "toarray"):
        check_size(8 * math.prod(array.shape), limit)
        array = array.toarray()
    return np.asarray(array)


def read_hdf5(path: str, key: str | None, limit: int) -> dict[str, Any]:
    """Return the names, and the chosen datasets, that are stored in an HDF5 file itself; links are not followed."""
    import h5py

    with h5py.File(path, "r") as file:
        found: dict[str, Any] = {}

        def visit(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "buif" and not (item.external or item.is_virtual):
                found[name] = item

        file.visititems(visit)  # follows hard links alone
        chosen = choose(list(found), key)
        if chosen is None:
            return {"names": list(found)}
        wanted = [found[name] for name in chosen if name]
        check_size(sum(int(item.nbytes) for item in wanted), limit)
        return {"names": list(found), "arrays": [np.asarray(item[()]) for item in wanted]}


def check_size(n_bytes: int, limit: int) -> None:
    """Raise `ValueError` for arrays larger than the limit."""
    if n_bytes > limit:
        raise ValueError(f"it would grow to {n_bytes:,} bytes, expected at most {limit:,}")


def main(suffix: str, path: str, key: str, limit: int, folder: str) -> None:
    """Read a file, write the chosen arrays as .npy, and print the names that were found as a line of JSON."""
    limit_memory(limit)
    try:
        with open(path, "rb") as file:
            is_hdf5 = suffix in (".h5", ".hdf5") or file.read(10) == b"MATLAB 7.3"
        answer = (read_hdf5 if is_hdf5 else read_mat)(path, key or None, limit)
        for i, array in enumerate(answer.pop("arrays", [])):
            np.save(Path(folder) / f"{i}.npy", array, allow_pickle=False)
    except ModuleNotFoundError as error:
        answer = {"missing": error.name}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
    print(json.dumps(answer))


def limit_memory(limit: int) -> None:
    """Let the process take a few times the limit, and a gigabyte for the libraries."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (4 * limit + 2**32, resource.RLIM_INFINITY))
    except (ImportError, ValueError, OSError):  # not on this system
        pass


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
