"""The tree over groups beside a naive second version that adds up links of members, and its cuts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from deepcluster_pl.functional.group_tree import clearest_number, group_links, groups_at, join_groups


def test_links_agree_with_a_double_loop():
    rng = np.random.default_rng(0)
    clusters, neighbors = rng.integers(-1, 4, 30), rng.integers(0, 30, (30, 3))
    expected = np.zeros((4, 4))
    for i, near in enumerate(neighbors):
        for j in near:
            if clusters[i] >= 0 and clusters[j] >= 0:
                expected[clusters[i], clusters[j]] += 1
                expected[clusters[j], clusters[i]] += 1
    np.testing.assert_array_equal(group_links(clusters, neighbors, 4), expected)


def naive_joins(links, means, sizes):
    """Every closeness again after each join, from the members of both groups."""
    groups, joined = {i: [i] for i in range(len(links))}, []
    while len(groups) > 1:
        best = None
        for a, b in itertools.combinations(groups, 2):
            between = sum(links[i, j] for i in groups[a] for j in groups[b])
            volumes = [sum(links[i].sum() for i in groups[g]) for g in (a, b)]
            centers = [np.average([means[i] for i in groups[g]], axis=0, weights=sizes[groups[g]]) for g in (a, b)]
            key = (between * links.sum() / np.prod(volumes), -np.linalg.norm(centers[0] - centers[1]))
            if best is None or key > best[0]:
                best = (key, a, b)
        key, a, b = best
        joined.append(({a, b}, key[0]))
        groups[len(links) + len(joined) - 1] = groups.pop(a) + groups.pop(b)
    return joined


@pytest.mark.parametrize("seed", range(5))
def test_joins_agree_with_a_loop_over_members_where_links_run_out_too(seed):
    rng = np.random.default_rng(seed)
    links = np.triu(rng.integers(0, 9, (7, 7)) * (rng.random((7, 7)) < 0.4), 1).astype(float)
    links = links + links.T + np.diag(rng.integers(5, 40, 7))
    means, sizes = rng.normal(size=(7, 2)), rng.integers(1, 9, 7)
    tree = join_groups(links, means, sizes)
    expected = naive_joins(links, means, sizes)
    assert [set(pair) for pair in tree.pairs.tolist()] == [pair for pair, _ in expected]
    np.testing.assert_allclose(tree.closeness, [value for _, value in expected], atol=1e-12)
    assert (np.diff(tree.closeness) <= 0).all()


def test_a_large_group_does_not_swallow_a_small_one_that_is_closer_to_another():
    links = [[1000, 6, 6], [6, 20, 6], [6, 6, 20]]  # as many links each, but of far fewer to the small ones
    assert join_groups(links, np.zeros((3, 1)), [100, 3, 3]).pairs[0].tolist() == [1, 2]


def test_cuts_are_nested_and_numbered_by_their_first_leaf():
    rng = np.random.default_rng(1)
    links = rng.integers(1, 9, (8, 8))
    tree = join_groups(links + links.T, rng.normal(size=(8, 2)), np.ones(8))
    for n in range(1, 9):
        here = groups_at(tree.pairs, 8, n)
        assert [int(k) for k in dict.fromkeys(here.tolist())] == list(range(n))
        if n > 1:
            above = groups_at(tree.pairs, 8, n - 1)
            assert len({(a, b) for a, b in zip(here, above, strict=True)}) == n  # each is inside one of the level above


def test_the_clearest_number_is_where_the_next_join_is_far():
    means = np.array([[0.0], [1.0], [2.0], [50.0], [51.0], [100.0]])
    tree = join_groups(np.eye(6), means, np.ones(6))
    assert clearest_number(tree, 2, 5, np.ones(6)) == 3
    assert clearest_number(tree, 2, 5, [9, 9, 9, 1, 1, 1]) == 5  # at 3 and 4 the first group has more than half
