"""Whether images are set upright is found out once for the data of a run, whoever asks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from deepcluster_pl.data import upright_choice
from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.data.upright_choice import Clearness, clearness
from deepcluster_pl.evaluation.judged_features import judged_features
from deepcluster_pl.nets.gradients import Gradients


@pytest.fixture
def source(tmp_path, common):
    def make(n):
        np.save(tmp_path / "x.npy", load_digits().images[:n].astype(np.float32))
        data = ArrayData(str(tmp_path / "x.npy"), None, None, None, **common(scale="none", holdout=0.0))
        data.setup()
        return data

    return make


def test_nets_of_candidates_and_the_judge_share_one_look_at_the_images(source, monkeypatch):
    data, looks = source(250), []
    monkeypatch.setattr(upright_choice, "largest_modularity", lambda points: looks.append(points.shape) or 0.5)
    for n_components in (30, 50):
        Gradients((8, 8), 4, 8, n_components, upright="auto").measure(data)
    judged_features(data, np.arange(250))
    assert looks == [(250, 50)] * 2
    clearness(source(240), "HW")
    assert looks[2:] == [(240, 50)] * 2


def test_few_images_stay_as_they_are(source):
    assert clearness(source(199), "HW") is None


def test_a_gain_within_the_limit_is_none():
    assert [Clearness(0.5, after).is_won for after in (0.4, 0.505, 0.52)] == [False, False, True]
