"""The number of clusters that halves agree on is the right one, or is doubted where there are no groups."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs, make_moons

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional.cluster_number_choice import clearest_number, levels
from deepcluster_pl.methods.initialization.cluster_number import ClusterNumberEstimate
from deepcluster_pl.methods.initialization.n_clusters import SplitHalfStability


def chooser(**changes):
    options = {
        "smallest": 2,
        "largest": 9,
        "n_halvings": 4,
        "n_references": 4,
        "n_init": 1,
        "sample_size": 600,
        "random_state": 0,
    }
    return SplitHalfStability(**options | changes)


def groups(n_groups, n=600, n_features=6, seed=1, spread=1.0):
    middles = 8 * np.random.default_rng(seed).normal(size=(n_groups, n_features))
    return torch.from_numpy(make_blobs(n, centers=middles, cluster_std=spread, random_state=seed)[0]).float()


@pytest.mark.parametrize("n_groups", [2, 3, 5, 7])
@pytest.mark.parametrize("seed", [0, 1])
def test_groups_that_are_there_are_counted(n_groups, seed):
    found = chooser(random_state=seed).find(groups(n_groups))
    assert found.n_clusters == n_groups
    assert found.agreement[found.candidates.index(n_groups)] > 0.99
    assert not found.is_faint


@pytest.mark.parametrize(
    ("spread", "least_agreement"), [([9.0, 1.0, 1.0, 1.0], 0.3), ([1.0] * 5, 0.0)], ids=["long", "round"]
)
@pytest.mark.parametrize("seed", range(3))
def test_one_bunch_is_doubted_however_well_few_clusters_agree(spread, least_agreement, seed):
    z = torch.from_numpy(np.random.default_rng(seed).normal(size=(600, len(spread))) * spread).float()
    found = chooser().find(z)
    assert found.agreement[0] > least_agreement  # by itself, that of a long cloud would be believed
    assert found.is_faint
    assert "there may be no groups" in found.describe()


def test_three_pairs_of_groups_are_six_where_only_numbers_that_part_the_whole_graph_well_are_compared():
    middles = [[x, y] for at in ((0, 0), (90, 0), (0, 90)) for x, y in (at, (at[0] + 4, at[1]))]
    z = torch.from_numpy(make_blobs(360, centers=np.array(middles, dtype=float), random_state=0)[0]).float()
    assert chooser(found_again=0.0).find(z).n_clusters == 3  # halves agree on the pairs without one error
    assert chooser(found_again=0.0, modular=0.98).find(z).n_clusters == 6


def test_the_same_seed_finds_the_same_and_the_order_of_features_or_their_shift_changes_nothing_in_the_answer():
    z = groups(4)
    assert chooser().find(z) == chooser().find(z)
    assert chooser().find(z.flip(1) + 3).n_clusters == 4


def test_a_draw_of_the_rows_is_looked_at_and_wide_embeddings_too():
    z = groups(3, n=5000, n_features=200)
    found = chooser(sample_size=100).find(z)
    assert found.n_clusters == 3
    assert found.candidates == list(range(2, 10))
    assert chooser(sample_size=60).find(z).candidates == [2, 3, 4, 5, 6]  # ten rows for each cluster


def test_embeddings_that_are_all_alike_are_no_groups():
    found = chooser().find(torch.ones(100, 3))
    assert found.is_faint
    assert found.n_clusters == 2


@pytest.mark.parametrize(
    ("changes", "z", "text"),
    [
        ({}, torch.zeros(19, 3), "at least 20 samples, found 19; type n_clusters=<number>"),
        ({"smallest": 5, "largest": 4}, torch.zeros(99, 3), "choose.smallest=5 above choose.largest=4"),
        ({}, torch.full((99, 3), float("nan")), "NaN"),
    ],
)
def test_samples_that_cannot_be_halved_are_refused_in_a_line(changes, z, text):
    with pytest.raises(UserError, match=text):
        chooser(**changes).find(z)


@pytest.mark.parametrize(
    ("agreement", "reference", "worst", "expected"),
    [
        ([0.9, 0.6, 0.5, 0.4], [0.88, 0.3, 0.3, 0.3], [0.9, 0.5, 0.4, 0.4], 3),  # the clearest
        ([0.9, 0.8, 0.75, 0.7], [0.3] * 4, [0.9, 0.8, 0.5, 0.5], 3),  # the largest of those within .13
        ([0.9, 0.86, 0.83, 0.82], [0.3] * 4, [0.9, 0.8, 0.5, 0.3], 4),  # whose groups are all found again
        ([1.0, 0.9, 0.96, 0.8], [0.77, 0.5, 0.44, 0.4], [1.0, 0.6, 0.9, 0.2], 4),  # few groups that agree easily lose
        ([1.0, 0.9, 0.8, 0.7], [0.5, 0.4, 0.3, 0.3], [1.0, 0.9, 0.8, 0.7], 3),  # every group is stable
        ([0.5, 0.6, 0.5, 0.4], [0.45, 0.5, 0.4, 0.4], [0.9, 0.9, 0.9, 0.9], 2),  # no groups: the smallest
    ],
)
def test_the_largest_number_wins_that_is_nearly_as_clear_and_whose_groups_are_all_found_again(
    agreement, reference, worst, expected
):
    assert clearest_number([2, 3, 4, 5], agreement, reference, worst) == expected


def test_of_numbers_that_are_as_clear_the_one_with_more_stable_groups_is_taken():
    agreement, reference = [0.5, 0.7, 0.96, 0.95, 0.94], [0.1] * 5
    assert clearest_number([2, 3, 4, 5, 6], agreement, reference, [0.9, 0.3, 0.93, 0.82, 0.78]) == 4
    assert clearest_number([2, 3, 4, 5, 6], agreement, reference, [0.9, 0.3, 0.93, 0.88, 0.86]) == 6
    # A gap ends the level: two that agree easily do not win over six
    assert clearest_number([2, 3, 4, 5, 6], [0.96, 0.7, 0.6, 0.5, 0.95], reference, [0.9, 0.3, 0.3, 0.3, 0.7]) == 6


def test_two_clear_groups_of_three_each_are_named_as_levels():
    draw = np.random.default_rng(0)
    middles = 40 * draw.normal(size=(2, 1, 6)) + 5 * draw.normal(size=(1, 3, 6))
    z = torch.from_numpy(np.repeat(middles.reshape(6, 6), 100, axis=0) + draw.normal(size=(600, 6)))
    found = chooser().find(z)
    assert found.n_clusters == 6
    text = ClusterNumberEstimate(4, [2, 4, 6], [0.9] * 3, [0.1] * 3, [0.0] * 3, 99, [0.9] * 3, 2, 6).describe()
    assert "the groups have levels: there are 2 coarse ones (0.90) and 6 fine ones (0.90)" in text


def test_groups_that_are_bent_are_followed():
    moons = torch.from_numpy(make_moons(600, noise=0.05, random_state=0)[0])
    assert chooser().find(moons).n_clusters == 2


def test_an_uneven_group_is_not_halved():
    sizes = [500, 100, 40]
    z = make_blobs(sizes, centers=8 * np.random.default_rng(3).normal(size=(3, 6)), random_state=0)[0]
    assert chooser(sample_size=640).find(torch.from_numpy(z)).n_clusters == 3


@pytest.mark.parametrize(("n_groups", "is_last"), [(3, False), (4, True), (5, True)])
def test_an_answer_at_the_end_of_the_range_says_that_larger_numbers_were_left_out(n_groups, is_last):
    found = chooser(largest=4).find(groups(n_groups))
    assert found.candidates == [2, 3, 4]
    assert found.n_clusters == min(n_groups, 4)
    assert ("by choose.largest: n_clusters=<number> takes any" in found.describe()) is is_last


def test_few_samples_leave_larger_numbers_out_and_say_so():
    few = chooser().find(groups(2, n=24))
    assert few.candidates == [2]
    assert few.second is None
    assert "no larger number was looked at, of 24 samples: n_clusters=<number> takes any" in few.describe()


def test_an_estimate_is_saved_and_loaded_and_a_damaged_file_is_reported(tmp_path):
    found = chooser().find(groups(3))
    found.save(tmp_path / "n.json")
    assert ClusterNumberEstimate.load(tmp_path / "n.json") == found
    for content in ("", "[1]", '{"n_clusters": 3}'):
        (tmp_path / "n.json").write_text(content)
        with pytest.raises(UserError, match=r"cannot be read.*type n_clusters=<number>"):
            ClusterNumberEstimate.load(tmp_path / "n.json")


def test_the_clearest_number_is_taken_where_groups_need_not_be_found_again():
    agreement, reference = [0.6, 0.9, 0.85], [0.1, 0.1, 0.1]
    assert clearest_number([2, 10, 11], agreement, reference, []) == 10
    assert levels(10, [2, 10, 11], agreement, reference, []) == (None, None)
    x, _ = make_blobs(240, 4, centers=4, cluster_std=0.5, random_state=0)
    assert chooser(found_again=0.0).find(torch.from_numpy(x)).n_clusters == 4
