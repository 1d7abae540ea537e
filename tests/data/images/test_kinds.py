"""Kinds of pictures: their words are known, and the published weights tell screenshots from photos."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from helpers.screenshots import screenshot

from deepcluster_pl.data.images import objects
from deepcluster_pl.data.images.decoding import decode
from deepcluster_pl.data.images.kinds import KIND_WORDS, MADE, WRITING, kinds_of, objects_of
from deepcluster_pl.data.images.photo_features import PhotoFeatures


def test_every_word_of_a_kind_is_one_of_the_networks():
    assert {word for words in KIND_WORDS.values() for word in words} <= set(objects.vocabulary())


@pytest.mark.skipif(find_spec(objects.LITE0.package) is None, reason="the extra photos is not installed")
def test_the_published_weights_tell_screenshots_from_photos(tmp_path):
    pytest.importorskip("timm")
    from sklearn.datasets import load_sample_images

    for i in range(2):
        screenshot(i).save(tmp_path / f"{i}.png")
    screens = [decode(tmp_path / f"{i}.png", 224, 16, 10.0)[0] for i in range(2)]
    photos = [image[::2, ::2] for image in load_sample_images().images]  # a palace and a dahlia
    features = PhotoFeatures(["objects", "palette", "drawing"], 192, "cpu")
    x = features.to_samples(np.stack([features.extract(rgb) for rgb in (*screens, *photos)]))
    words, p = features.words(x)
    kinds = kinds_of(torch.from_numpy(p), words, torch.from_numpy(features.block(x, "drawing")))
    for kind in (MADE, WRITING):
        assert (kinds[kind][:2] > 0.9).all()
        assert (kinds[kind][2:] < 0.5).all()
    assert set(objects_of(torch.from_numpy(p[:2]), words)) <= {f"web site {row.max():.2f}" for row in p[:2]}


def test_a_block_of_a_sample_is_where_its_name_says():
    features = PhotoFeatures(["objects", "palette", "drawing", "texture"], 192, "cpu")
    x = np.arange(1280 + 38 + 36 + 177)
    assert features.block(x[None], "drawing").tolist() == [list(range(1318, 1354))]
    assert features.block(x[None], "objects").shape == (1, 1280)
    assert features.block(x[None], "gist") is None
