"""Describe how many groups were found, their sizes, how even these are, and how many samples are in none."""

from __future__ import annotations

import math
from typing import Any

_EVENNESS = (("even", 0.75, 1.33), ("fairly even", 0.4, 2.0), ("uneven", 0.1, 6.0))
"""Words for sizes whose smallest and largest are no farther than this from the mean, as shares of it."""
_FAIRLY = 0.85
"""Share of log K that the entropy of fairly even sizes has; of two groups, the larger has at most .72 of all."""
_TINY = 5
"""Mean size of groups below which one sample more or less would change the word."""


def found_groups(scores: dict[str, Any]) -> str:
    """Return the number of groups, their sizes, and how even they are.

    Args:
        scores: content of scores.json.
    """
    outliers = scores.get("outliers")
    fit = (outliers and outliers["fit"]) or scores["fit"]
    sizes = [size for size in fit["cluster_sizes"] if size]
    if not sizes:
        return "Found no group."
    if len(sizes) == 1:
        return f"All {sizes[0]:,} samples are in one group: nothing was separated.{_outside(outliers)}"
    least, most, n = min(sizes), max(sizes), sum(sizes)
    each = "1 sample" if most == 1 else f"{most:,} samples"
    spread = f"{each} each" if least == most else f"{least:,} {'and' if len(sizes) == 2 else 'to'} {each}"
    said = "few samples for so many groups" if n < _TINY * len(sizes) else f"sizes are {_evenness(sizes)}"
    empty = len(fit["cluster_sizes"]) - len(sizes)
    left = f"; {empty} more {'is' if empty == 1 else 'are'} empty" if empty else ""
    return f"Found {len(sizes)} groups of {spread}: {said}{left}.{_outside(outliers)}"


def _outside(outliers: dict[str, Any] | None) -> str:
    """Return how many samples are in no group, after a space; nothing without any.

    >>> _outside({"number": 87, "share": 0.048, "emptied": []})
    ' 87 samples (4.8 %) are in no group.'
    """
    if not outliers or not outliers["number"]:
        return ""
    number, is_one = outliers["number"], outliers["number"] == 1
    noun, verb = ("sample", "is") if is_one else ("samples", "are")
    text = f" {number:,} {noun} ({100 * outliers['share']:.1f} %) {verb} in no group."
    n_emptied = len(outliers["emptied"])
    if not n_emptied:
        return text
    groups = "a group, which is" if n_emptied == 1 else f"{n_emptied} groups, which are"
    return f"{text} They had filled {groups} empty now."


def _evenness(sizes: list[int]) -> str:
    """Return how even sizes are: by the smallest and the largest, beside the mean, and by their entropy.

    Of two groups neither is far from the mean, whatever their sizes, so the entropy counts too.

    >>> _evenness([50, 50]), _evenness([70, 30]), _evenness([80, 20]), _evenness([99, 1])
    ('even', 'fairly even', 'uneven', 'very uneven')
    """
    mean, n = sum(sizes) / len(sizes), sum(sizes)
    least, most = min(sizes) / mean, max(sizes) / mean
    entropy = -sum(size / n * math.log(size / n) for size in sizes) / math.log(len(sizes))
    for word, lower, upper in _EVENNESS:
        if least >= lower and most <= upper and (entropy >= _FAIRLY or word == "uneven"):
            return word
    return "very uneven"
