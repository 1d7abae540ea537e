"""Words of a group: their scores beside a loop, and names that are short, honest and different."""

from __future__ import annotations

import math

import pytest
import torch

from deepcluster_pl.functional.naming import group_names, word_scores


def test_scores_agree_with_a_loop_over_groups_and_words():
    p = torch.rand(12, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    p = p / p.sum(dim=1, keepdim=True)
    clusters = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 2, -1, -1])
    found = word_scores(p, clusters, 4)
    for k in range(3):
        rows = [i for i in range(12) if clusters[i] == k]
        for word in range(4):
            own = sum(p[i, word].item() for i in rows) / len(rows)
            everywhere = sum(p[i, word].item() for i in range(12)) / 12
            assert found[k, word].item() == pytest.approx(own * math.log(own / everywhere))
    assert (found[3] == 0).all()


def test_words_that_are_everywhere_name_nothing():
    p = torch.tensor([[0.9, 0.1, 0.0], [0.9, 0.0, 0.1]])
    assert group_names(word_scores(p, torch.tensor([0, 1]), 2), ["web site", "cat", "dog"]) == [
        "like: cat",
        "like: dog",
    ]


def test_no_two_names_are_equal_even_where_words_are():
    names = group_names(torch.tensor([[0.5, 0.0], [0.4, 0.0], [0.3, 0.0]]), ["menu", "cat"])
    assert names == ["menu", "menu (1)", "menu (2)"]
