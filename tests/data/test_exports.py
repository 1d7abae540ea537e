"""The names that the package exports, and what importing them costs."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import deepcluster_pl.data
import deepcluster_pl.data.images
import deepcluster_pl.data.sources


@pytest.mark.parametrize("package", [deepcluster_pl.data, deepcluster_pl.data.images, deepcluster_pl.data.sources])
def test_every_exported_name_is_there_and_is_what_its_own_module_calls_so(package):
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__name__ == name
            assert value.__module__.startswith(f"{package.__name__}.")


def test_another_name_is_refused():
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        deepcluster_pl.data.Nothing  # noqa: B018


def test_processes_that_decode_pictures_import_no_torch():
    code = (
        "import pickle, sys\n"
        "from deepcluster_pl.data.images import Pretrained\n"
        "pickle.loads(pickle.dumps(Pretrained('torchvision', 'resnet18', None, 32, 'cpu')))\n"
        "print(sorted({'torch', 'torchvision', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
