"""The samples that represent a cluster: central ones, and doubtful ones."""

from __future__ import annotations

import pytest
import torch

from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.reporting.representatives import central_members, doubtful_members


@pytest.fixture
def prediction():
    z = torch.tensor([[0.0], [1.0], [5.0], [50.0], [2.0]])
    confidence, second = torch.tensor([0.9, 0.5, 0.4, 0.8, 0.6]), torch.tensor([0.1, 0.49, 0.39, 0.1, 0.1])
    return Prediction(z, torch.tensor([0, 0, 0, 1, 0]), confidence, second)


def test_central_members_are_ordered_by_distance_to_the_mean(prediction):
    assert central_members(prediction, 0).tolist() == [4, 1, 0, 2]
    assert central_members(prediction, 1).tolist() == [3]
    assert central_members(prediction, 2).tolist() == []


def test_doubtful_members_are_those_that_another_cluster_nearly_has(prediction):
    assert doubtful_members(prediction, 0, 9).tolist() == [1, 2]
    assert doubtful_members(prediction, 0, 1).tolist() == [1]
    assert doubtful_members(prediction, 1, 9).tolist() == []
    assert doubtful_members(prediction, 2, 9).tolist() == []
