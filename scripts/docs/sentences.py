"""Compute the numbers that sentences say about recorded runs: counts of rows and seeds, and means.

A number in a sentence stands between a mark and its end, on one line:

    <!-- n: rows article da/ -->four<!-- end -->      rows of a table whose recipe begins so
    <!-- n: variants digits idec -->three<!-- end -->     rows of a table that change settings of one recipe
    <!-- n: seeds article da/scan -->three<!-- end -->     seeds of one recipe
    <!-- n: runs article da/scan -->five<!-- end -->     runs of one recipe, on any machine and in any precision
    <!-- n: above mnist fit.acc .932 idec start=gmm -->one<!-- end -->     runs of one recipe whose score is larger
    <!-- n: missed -->five<!-- end -->      rows of the page's own tables whose median misses its aim
    <!-- mean: digits fit.acc idec -->.800 ± .018<!-- end -->     mean ± standard deviation over seeds
"""

from __future__ import annotations

import re
import statistics
from pathlib import Path

from scripts.docs.recorded import Run, by_setting, read, setting

MARK = re.compile(r"(<!-- (n|mean): ([^>]*?) -->)[^<\n]*(<!-- end -->)")
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_AIM = re.compile(r"\| ([\d.]+) \| [^|]+ \| (>=|<=) ([\d.]+)[^|]* \|$", re.MULTILINE)


def fill_sentences(text: str, results: Path) -> str:
    """Return a document with every number of a sentence computed again.

    Args:
        text: the document, with its tables.
        results: folder of the recorded runs.

    Raises:
        ValueError: a mark names no recorded run, or asks for an unknown count.
    """

    def content(match: re.Match[str]) -> str:
        words = match[3].split()
        if match[2] == "mean":
            experiment, score, *recipe = words
            return f"{match[1]}{_mean(_scores(_runs(results, experiment, recipe), score))}{match[4]}"
        return f"{match[1]}{in_words(_count(words, text, results))}{match[4]}"

    return MARK.sub(content, text)


def in_words(number: int) -> str:
    """Return a number as a word, from 13 on in digits.

    >>> in_words(3), in_words(13)
    ('three', '13')
    """
    return _WORDS[number] if number < len(_WORDS) else str(number)


def missed_aims(text: str) -> int:
    """Return how many rows of a page's tables (median, range, aim) miss their aim.

    >>> missed_aims("| a | 0.9 | 0.8 – 1 | >= 0.95 |\\n| b | 1 | 1 – 2 | <= 1.5 |\\n| c | 1 | 1 – 2 | - |")
    1
    """
    rows = _AIM.findall(text)
    return sum(float(value) < float(aim) if sign == ">=" else float(value) > float(aim) for value, sign, aim in rows)


def _count(words: list[str], text: str, results: Path) -> int:
    """Return the count that the words of a mark ask for."""
    if words == ["missed"]:
        return missed_aims(text)
    kind, experiment, *rest = words
    if kind in ("rows", "variants"):
        names = [setting(group[0]) for group in by_setting(read(results / f"{experiment}.jsonl"))]
        beginning = " ".join(rest) + " " * (kind == "variants")
        return sum(name.startswith(beginning) for name in names)
    if kind == "seeds":
        return len({run["seed"] for run in _runs(results, experiment, rest)})
    if kind == "runs":
        return len(_runs(results, experiment, rest))
    if kind == "above":
        score, bound, *recipe = rest
        return sum(value > float(bound) for value in _scores(_runs(results, experiment, recipe), score))
    raise ValueError(f"a mark counts rows, variants, seeds, runs, above or missed, not {kind}")


def _runs(results: Path, experiment: str, recipe: list[str]) -> list[Run]:
    """Return the runs of one recipe with exactly these settings, whatever their precision."""
    name = " ".join(recipe)
    runs = [run for run in read(results / f"{experiment}.jsonl") if setting(run) == name]
    if not runs:
        raise ValueError(f"{experiment} has no recorded run of {name!r}")
    return runs


def _scores(runs: list[Run], score: str) -> list[float]:
    """Return one score of each run, such as fit.acc."""
    part, metric = score.split(".")
    return [run[part][metric] for run in runs]


def _mean(values: list[float]) -> str:
    """Return mean ± standard deviation, with three decimals and no zero before the point."""
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}".replace("0.", ".")
