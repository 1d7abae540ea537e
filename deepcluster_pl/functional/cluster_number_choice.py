"""Choose a number of clusters by how far two halves of the samples agree on each."""

from __future__ import annotations

_FAINT, _NEARLY_BEST, FOUND_AGAIN = 0.3, 0.13, 0.4
_LEVEL, _CLEARER, _STABLE, _BELOW_PATTERN, _BELOW_BEST = 0.6, 0.03, 0.75, 0.17, 0.2
_MARKS = (_LEVEL, _STABLE, 0.85)
"""Overlaps from which Hennig calls groups a pattern, stable, and highly stable."""


def clearest_number(
    candidates: list[int],
    agreement: list[float],
    reference: list[float],
    worst: list[float],
    found_again: float = FOUND_AGAIN,
) -> int:
    """Choose the largest number that is nearly as clear as the clearest, and whose groups are all found again.

    A group is found again where its overlap is at least .4; then the clarity may be less than the best by .13. It
    may be less by .17 where each group overlaps by .6, and by .2 where by .75, which Hennig calls a pattern and stable.
    These limits were set on MNIST and scikit-learn's digits. Where no number is clear (.3), it is the smallest.

    Numbers one after another, each as clear as the next within .03, are one level: each larger one cuts a group of the
    one before. Of a level the answer is the largest number whose groups reach the highest of Hennig's marks (.6, .75,
    .85) there. A cut that halves agree on less is no better known for being one more.

    Args:
        candidates: the numbers (C,) that were tried, ascending.
        agreement: agreement (C,) of halves on each number, at most 1.
        reference: agreement (C,) without groups.
        worst: overlap (C,) of the group that halves agree on least; empty takes the clearest number.
        found_again: least overlap of a group that counts as found again.

    Returns:
        One of the candidates.

    >>> clearest_number([2, 3, 5], [0.99, 0.8, 0.96], [0.77, 0.5, 0.44], [0.9, 0.5, 0.9])
    5
    >>> clearest_number([2, 3, 4, 5], [0.5, 0.7, 0.96, 0.95], [0.3] * 4, [0.9, 0.5, 0.9, 0.7])
    4
    """
    clear = clarity(agreement, reference)
    if is_faint(clear, worst):
        return candidates[0]
    best = max(clear)
    if not worst:
        return candidates[clear.index(best)]
    good = [
        i
        for i, (value, overlap) in enumerate(zip(clear, worst, strict=True))
        if overlap >= found_again and value >= best - _allowed(overlap)
    ]
    return candidates[_most_stable(good, clear, worst) if good else clear.index(best)]


def levels(
    n_clusters: int, candidates: list[int], agreement: list[float], reference: list[float], worst: list[float]
) -> tuple[int | None, int | None]:
    """Find a coarser level that is clearer than the chosen number, and a finer one whose groups are all found again.

    Args:
        n_clusters: the number that was chosen.
        candidates: the numbers (C,) that were tried.
        agreement: agreement (C,) of halves on each number.
        reference: agreement (C,) without groups.
        worst: overlap (C,) of the group that halves agree on least.

    Returns:
        The coarse and the fine number; None where there is none, or where there are no groups.

    >>> levels(5, [2, 5, 8, 9], [0.99, 0.9, 0.8, 0.7], [0.3] * 4, [0.9, 0.8, 0.7, 0.3])
    (2, 8)
    """
    clear = dict(zip(candidates, clarity(agreement, reference), strict=True))
    if not worst or is_faint(list(clear.values()), worst):
        return None, None
    plain = [k for k, overlap in zip(candidates, worst, strict=True) if overlap >= _LEVEL]
    clearer = [k for k in plain if k < n_clusters and clear[k] > clear[n_clusters] + _CLEARER]
    finer = [k for k in plain if k > n_clusters and clear[k] >= _LEVEL]
    return max(clearer, key=lambda k: clear[k]) if clearer else None, max(finer) if finer else None


def clarity(agreement: list[float], reference: list[float]) -> list[float]:
    """Return the agreement beyond that without groups, as a share of the largest that is possible.

    >>> clarity([0.9, 0.4], [0.5, 0.4])
    [0.8, 0.0]
    """
    pairs = zip(agreement, reference, strict=True)
    return [(here - there) / (1 - there) if there < 1 else 0.0 for here, there in pairs]


def _most_stable(good: list[int], clear: list[float], worst: list[float]) -> int:
    """Return the place of the largest good number, or of one just below it that is as clear and more stable."""
    chosen, place = good[-1], good[-1]
    while place - 1 in good and abs(clear[place - 1] - clear[place]) <= _CLEARER:
        place -= 1
        chosen = place if _mark(worst[place]) > _mark(worst[chosen]) else chosen
    return chosen


def _mark(overlap: float) -> int:
    """Return how many of Hennig's marks an overlap reaches."""
    return sum(overlap >= mark for mark in _MARKS)


def _allowed(overlap: float) -> float:
    """Return how far the clarity may be below the best: the more, the further all groups overlap."""
    return _BELOW_BEST if overlap >= _STABLE else _BELOW_PATTERN if overlap >= _LEVEL else _NEARLY_BEST


def is_faint(clear: list[float], worst: list[float]) -> bool:
    """Return True if no number whose groups are all found again is clear."""
    found = [value for i, value in enumerate(clear) if not worst or worst[i] >= FOUND_AGAIN]
    return max(found, default=0.0) < _FAINT
