"""Pictures by a trained network: timm computes what the paper's layers do, and only the published file is read."""

from __future__ import annotations

import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.object_weights import install, plain_network, untrained_state
from helpers.pictures import library, page, scene
from helpers.reading import everything

from deepcluster_pl.data.images import objects
from deepcluster_pl.data.images.features import Descriptors
from deepcluster_pl.data.images.objects import ObjectNetwork, objects_installed, pad_to_square, vocabulary
from deepcluster_pl.data.images.photo_features import PhotoFeatures
from deepcluster_pl.errors import UserError

pytest.importorskip("timm")


def squares():
    return np.stack([pad_to_square(np.asarray(picture), 224) for picture in (scene(0), page(1), scene(2, 40, 90))])


def test_features_and_words_agree_with_the_layers_written_out(monkeypatch, tmp_path):
    state = untrained_state()
    install(monkeypatch, tmp_path, state)
    network, x = ObjectNetwork("cpu"), squares()
    pooled, _ = plain_network(state, torch.from_numpy(x).permute(0, 3, 1, 2) / 127.5 - 1)
    unit = torch.nn.functional.normalize(pooled, dim=1)
    found = network.embed(x)
    np.testing.assert_allclose(found, unit.numpy(), atol=1e-5)
    expected = (unit * objects._USUAL_LENGTH @ state["_fc.weight"].T + state["_fc.bias"]).softmax(dim=1)
    np.testing.assert_allclose(network.word_probabilities(found), expected.numpy(), rtol=1e-3, atol=1e-6)


def test_a_picture_keeps_its_proportions_on_a_square_of_its_mean_color():
    rgb = np.zeros((50, 100, 3), dtype=np.uint8)
    rgb[:, :, 0] = 200
    square = pad_to_square(rgb, 100)
    assert square.shape == (100, 100, 3)
    np.testing.assert_array_equal(square[25:75], rgb)
    assert (square == [200, 0, 0]).all()


def test_a_sample_is_what_the_network_sees_and_the_descriptors_beside_it(monkeypatch, tmp_path, images):
    install(monkeypatch, tmp_path)
    library(tmp_path / "photos", 3)
    features = PhotoFeatures(["objects", "palette", "writing"], 192, "cpu")
    ids, x = everything(images(features=features, root=str(tmp_path / "photos")))
    assert x.shape == (3, 1280 + 38 + 35)
    np.testing.assert_allclose(np.linalg.norm(x[:, :1280], axis=1), 1, atol=1e-5)
    words, probabilities = features.words(x)
    assert len(words) == probabilities.shape[1] == 1000
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    assert len(ids) == 3


def test_without_objects_a_sample_is_its_descriptors(images, photos):
    features = PhotoFeatures(["palette", "writing"], 96, "cpu")
    assert features.words(np.zeros((1, 73), dtype=np.float32)) is None
    found = everything(images(features=features))
    expected = everything(images(features=Descriptors(["palette", "writing"], 96)))
    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])
    assert features.recipe() == Descriptors(["palette", "writing"], 96).recipe()


def test_samples_of_other_weights_are_kept_apart(monkeypatch, tmp_path):
    features = PhotoFeatures(["objects", "palette"], 192, "cpu")
    assert features.recipe()["weights"] == objects.LITE0.sha256
    assert features.recipe() != PhotoFeatures(["objects"], 192, "cpu").recipe()


def test_other_weights_than_those_that_were_published_are_refused_before_they_are_read(monkeypatch, tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"garbage")
    monkeypatch.setattr(objects, "_find", lambda weights: tmp_path / "weights.pth")
    with pytest.raises(UserError, match=r"found SHA-256 .*, expected 579344248a93…; type: pip install") as error:
        PhotoFeatures(["objects"], 192, "cpu").check()
    assert "\n" not in str(error.value)


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("executed"),)


def test_weights_run_no_code_even_with_the_right_hash(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    install(monkeypatch, tmp_path, Evil())
    with pytest.raises(pickle.UnpicklingError):
        ObjectNetwork("cpu").check()
    assert not Path("executed").exists()


def test_without_the_extra_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(objects, "_find", lambda weights: None)
    assert not objects_installed()
    assert "pip install 'deepcluster_pl[photos]'" in Descriptors(["palette"], 96).note()
    with pytest.raises(UserError, match=r"pip install 'deepcluster_pl\[photos\]'"):
        PhotoFeatures(["objects"], 192, "cpu").check()


def test_blocks_are_checked_in_a_line():
    with pytest.raises(UserError, match="expected objects as the first"):
        PhotoFeatures(["palette", "objects"], 192, "cpu")
    with pytest.raises(UserError, match="expected each at most once of palette"):
        PhotoFeatures(["objects", "palete"], 192, "cpu")


def test_processes_that_decode_get_no_network(monkeypatch, tmp_path):
    install(monkeypatch, tmp_path)
    features = PhotoFeatures(["objects"], 192, "cpu")
    features.check()
    assert len(pickle.dumps(features)) < 2000


@pytest.mark.skipif(find_spec(objects.LITE0.package) is None, reason="the extra photos is not installed")
def test_the_published_weights_know_what_photos_show():
    from sklearn.datasets import load_sample_images

    photos = np.stack([pad_to_square(image, 224) for image in load_sample_images().images])
    network, words = ObjectNetwork("cpu"), np.array(vocabulary())
    found = network.word_probabilities(network.embed(photos))
    palace, dahlia = (set(words[np.argsort(-row)[:5]].tolist()) for row in found)
    assert {"castle", "stupa", "bell cote"} <= palace
    assert not palace & dahlia
