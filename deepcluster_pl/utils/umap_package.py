"""Access to the optional package umap-learn, and protection of PyTorch from numba's number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from deepcluster_pl.errors import UserError


def umap_class(setting: str) -> Any:
    """Import umap-learn's class `UMAP`.

    Args:
        setting: setting that asks for UMAP, such as map=umap; an error begins with it.

    Returns:
        The class.

    Raises:
        UserError: umap-learn is not installed or cannot be imported; it is an extra.
    """
    try:
        from umap import UMAP
    except ImportError as error:
        raise UserError(f"{setting} needs umap-learn ({error}); type pip install 'deepcluster_pl[umap]'") from error
    return UMAP


@contextmanager
def torch_threads_kept() -> Iterator[None]:
    """Restore PyTorch's number of threads at the end; numba, which UMAP runs on, sets it to all that there are."""
    n_threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
