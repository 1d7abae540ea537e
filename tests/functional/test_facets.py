"""Probability of a kind, beside one loop over pictures."""

from __future__ import annotations

import math

import pytest
import torch

from deepcluster_pl.functional.facets import kind_probability


def odds(share):
    return math.log((share + 1e-3) / (1 - share + 1e-3))


def test_the_probability_agrees_with_a_loop_over_pictures():
    words = torch.rand(5, 20, generator=torch.Generator().manual_seed(0)).softmax(dim=1)
    flat = torch.tensor([0.0, 0.3, 0.5, 0.9, 1.0])
    found = kind_probability(words, [2, 7, 11], flat).tolist()
    for row, share, p in zip(words.tolist(), flat.tolist(), found, strict=True):
        chance, usual = math.log(0.15 / 0.85), math.log(0.3 / 0.7)
        evidence = odds(row[2] + row[7] + row[11]) - chance + odds(share) - usual - 1.5
        assert p == pytest.approx(1 / (1 + math.exp(-evidence)), rel=1e-4)


def test_words_alone_decide_where_flat_areas_are_unknown():
    words = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    likely, unlikely = kind_probability(words, [0, 1], None).tolist()
    assert likely > 0.99
    assert unlikely < 0.01
