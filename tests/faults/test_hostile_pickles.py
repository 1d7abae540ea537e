"""A pickle that would run code runs none, under every file name that a command or a reader accepts."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.command_line import TINY_DEC

from deepcluster_pl import load_model
from deepcluster_pl.data.images.backbone import Pretrained
from deepcluster_pl.data.images.features import Thumbnails
from deepcluster_pl.data.images.measure import measure_pictures
from deepcluster_pl.data.sources.image_csv import ImageCsv
from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.tensor_files import load_tensors

MARKER = "executed"


class Evil:
    """Leaves a folder where it is unpickled."""

    def __reduce__(self):
        return os.makedirs, (MARKER, 0o777, True)


def plain():
    return pickle.dumps(Evil(), protocol=2)


def objects():
    file = io.BytesIO()
    np.save(file, np.array([Evil(), Evil()], dtype=object), allow_pickle=True)
    return file.getvalue()


def archive():
    file = io.BytesIO()
    np.savez(file, x=np.array([Evil(), Evil()], dtype=object))
    return file.getvalue()


def archive_with_a_pickle():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        for name in ("x.npy", "x", "y.npy", "archive/data.pkl", "archive/version"):
            members.writestr(name, plain())
    return file.getvalue()


def saved_by_torch(new):
    file = io.BytesIO()
    torch.save({"state_dict": {"conv1.weight": Evil()}, "x": Evil()}, file, _use_new_zipfile_serialization=new)
    return file.getvalue()


PICKLES = {
    "plain": plain,
    "numpy objects": objects,
    "numpy archive": archive,
    "archive": archive_with_a_pickle,
    "torch": lambda: saved_by_torch(True),
    "torch before 1.6": lambda: saved_by_torch(False),
}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")


def test_the_pickle_of_these_tests_is_one_that_runs():
    pickle.loads(plain())
    assert Path(MARKER).is_dir()
    Path(MARKER).rmdir()
    torch.load(io.BytesIO(saved_by_torch(True)), weights_only=False)
    assert Path(MARKER).is_dir()


def assert_refused(action):
    """Call something that has to end in one line, without the marker."""
    with pytest.raises(UserError) as error:
        action()
    assert "\n" not in str(error.value)
    assert not Path(MARKER).exists()


@pytest.mark.parametrize("suffix", ["npy", "npz", "csv", "tsv", "parquet", "pkl", "pickle", "joblib"])
@pytest.mark.parametrize("kind", PICKLES)
def test_as_a_table(tmp_path, common, kind, suffix):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(PICKLES[kind]())
    assert_refused(ArrayData(str(path), None, None, None, **common()).load)


@pytest.mark.parametrize("kind", PICKLES)
def test_as_pictures_and_as_their_table(tmp_path, common, kind):
    for name in ("a.jpg", "a.png", "a.tif"):
        (tmp_path / name).write_bytes(PICKLES[kind]())
        assert list(measure_pictures(Thumbnails(16), tmp_path, [name])[1]) == [name]
    (tmp_path / "t.csv").write_text("filename\na.png\n")
    assert_refused(ImageCsv(str(tmp_path / "t.csv"), None, **common()).load)
    (tmp_path / "t.csv").write_bytes(PICKLES[kind]())
    assert_refused(ImageCsv(str(tmp_path / "t.csv"), None, **common()).load)


@pytest.mark.parametrize("suffix", ["pt", "pth", "ckpt", "bin", "safetensors"])
@pytest.mark.parametrize("kind", PICKLES)
def test_as_weights_of_a_backbone(tmp_path, kind, suffix):
    path = tmp_path / f"w.{suffix}"
    path.write_bytes(PICKLES[kind]())
    assert_refused(Pretrained("torchvision", "squeezenet1_1", str(path), 32, "cpu").check)


@pytest.mark.parametrize("kind", PICKLES)
def test_as_the_files_of_a_model(tmp_path, kind):
    for name in ("model.json", "model.safetensors"):
        (tmp_path / name).write_bytes(PICKLES[kind]())
    assert_refused(lambda: load_model(tmp_path))
    assert_refused(lambda: load_tensors(tmp_path / "model.safetensors"))


@pytest.mark.parametrize("option", ["ckpt_path", "pretrained"])
@pytest.mark.parametrize("kind", PICKLES)
def test_as_a_checkpoint(cli_run, tmp_path, option, kind):
    (tmp_path / "c.ckpt").write_bytes(PICKLES[kind]())
    run = cli_run(*TINY_DEC, f"{option}={tmp_path}/c.ckpt")
    assert (run.code, run.err.count("\n")) == (1, 1), run.err
    assert not list(tmp_path.rglob(MARKER))


def test_weights_that_would_inflate_beyond_their_file_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("archive/data/0", bytes(2**24))
    with pytest.raises(UserError, match=r"it would inflate to 16,777,216 bytes, and PyTorch compresses nothing"):
        Pretrained("torchvision", "squeezenet1_1", str(tmp_path / "w.pth"), 32, "cpu").check()
