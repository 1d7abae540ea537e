"""The pool of method=auto: which candidates get a student."""

from __future__ import annotations

from types import SimpleNamespace

from deepcluster_pl.runs.candidates import Pool


def pool_of(scores, families, chosen):
    """A pool whose candidates 0, 1, 2 … were judged already."""
    judged = [SimpleNamespace(name=name, problem="") for name in range(len(scores))]
    criteria = [SimpleNamespace(score=score, family=family) for score, family in zip(scores, families, strict=True)]
    pool = object.__new__(Pool)
    pool.rank = lambda: (judged, SimpleNamespace(criteria=criteria, chosen=chosen))
    return pool


def test_the_student_learns_from_the_chosen_candidate_though_a_nearly_equal_one_scores_higher():
    pool = pool_of([0.94, 0.95, 0.9], [0, 0, 1], chosen=0)
    assert [tried.name for tried in pool.best(1)] == [0]
    assert [tried.name for tried in pool.best(2)] == [0, 2]  # the second student has another partition to learn
    assert pool.best(0) == []
