"""Fixtures that many tests share: options of a data source, and the folder of real data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # OpenMP threads of several workers would fight over the cores
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from helpers.fixtures import blank_figures, browser, cli_run, deepcluster

from deepcluster_pl.data.split import Subset

__all__ = ["blank_figures", "browser", "cli_run", "deepcluster"]


@pytest.fixture
def common() -> Callable[..., Any]:
    """Makes the options every data source takes: everything, unscaled, nothing held out, unless a test says so."""

    def options(**changes: Any) -> dict[str, Any]:
        plain = {
            "name": "test",
            "subset": Subset(None, False, 0),
            "holdout": 0.0,
            "split": "random",
            "seed": 0,
            "scale": "none",
            "num_workers": 0,
            "residency": "auto",
        }
        return plain | changes

    return options


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with MNIST/raw, FashionMNIST/raw and datahack/; its tests are marked `realdata`."""
    folder = os.environ.get("DEEPCLUSTER_TEST_DATA")
    if not folder:
        pytest.skip("DEEPCLUSTER_TEST_DATA is not set; it names a folder with MNIST/raw, FashionMNIST/raw, datahack")
    return Path(folder)
