"""UMAP is an extra: its absence is one line, and PyTorch's number of threads stays, also after an error."""

from __future__ import annotations

import sys

import pytest
import torch

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.umap_package import torch_threads_kept, umap_class


def test_a_missing_package_is_named_with_the_setting_that_asks_for_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(UserError, match=r"^map=umap needs umap-learn .*; type pip install 'deepcluster_pl\[umap\]'$"):
        umap_class("map=umap")


@pytest.mark.parametrize("error", [None, ValueError])
def test_the_number_of_threads_is_restored_however_the_block_ends(error):
    before = torch.get_num_threads()
    try:
        with torch_threads_kept():
            torch.set_num_threads(before + 1)
            if error is not None:
                raise error
    except ValueError:
        pass
    after = torch.get_num_threads()
    torch.set_num_threads(before)
    assert after == before
