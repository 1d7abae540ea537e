"""Draws of seed and place: the same again for the same, others for others, and never of the global state."""

from __future__ import annotations

import torch

from deepcluster_pl.utils.random import generator_at, sample_rows


def test_sampled_rows_are_distinct_in_order_and_decided_by_the_seed():
    rows = sample_rows(23, 6, seed=4).tolist()
    assert len(set(rows)) == 6
    assert rows == sorted(rows) == sample_rows(23, 6, seed=4).tolist()
    assert rows != sample_rows(23, 6, seed=5).tolist()


def test_all_rows_are_taken_where_the_limit_allows_it():
    assert sample_rows(5, None, 0).tolist() == sample_rows(5, 5, 0).tolist() == [0, 1, 2, 3, 4]


def test_each_seed_and_place_has_a_generator_of_its_own_and_the_global_state_stays():
    before = torch.random.get_rng_state()
    draws = [
        torch.rand(4, generator=generator_at(*place)).tolist() for place in ((0, 1, 2), (0, 2, 1), (1, 1, 2), (0, 1))
    ]
    assert len({str(draw) for draw in draws}) == 4
    assert torch.rand(4, generator=generator_at(0, 1, 2)).tolist() == draws[0]
    assert torch.equal(torch.random.get_rng_state(), before)
