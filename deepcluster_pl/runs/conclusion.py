"""Add the verdict on a run to its scores, with one command to type next."""

from __future__ import annotations

import re
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.validation import problems
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.methods.initialization.cluster_number import ClusterNumberEstimate
from deepcluster_pl.methods.initialization.n_clusters import AUTO
from deepcluster_pl.reporting.representatives import DOUBT
from deepcluster_pl.reporting.verdict import judge

_OF_THE_METHOD = (
    "method", "net", "pretrain", "optimizer", "start", "augment", "callbacks", "fit", "student", "auto", "whiten",
    "guard", "compile", "pretrained", "ckpt_path", "resume", "start_sample_size",
)  # fmt: skip
"""Keys that another method may not have, or that mean something else for it."""
_FLAG = "--config-dir"
_LEAST_FOR_AUTO = 100
"""Samples below which no number of groups is estimated for the sake of a second opinion."""


def conclude(scores: dict[str, Any], fitted: Prediction, report: Path) -> None:
    """Fill in `verdict` of the scores: the groups found, in words, and commands to type next.

    Its `next` is the command that a simple method did better with, or else the one that shows the report; `then` is the
    same command, or else one with another number of groups.

    Args:
        scores: content of scores.json, changed in place.
        fitted: predictions of the fitted part.
        report: path of report.html.
    """
    n_doubtful = int((fitted.doubt > DOUBT).sum())
    verdict = judge(scores, n_doubtful)
    other = with_method(scores["command"], verdict.better) if verdict.better else None
    shows = shlex.join(["python", "-m", "webbrowser", report.absolute().as_uri()])
    scores["verdict"] = {
        **asdict(verdict), "doubtful": n_doubtful, "next": other or shows, "then": other or _other_number(scores),
    }  # fmt: skip


def with_method(command: str, method: str) -> str | None:
    """Return a command with another method, and without settings that belong to the first one.

    Args:
        command: `python -m deepcluster_pl` and the overrides.
        method: name of a recipe.

    Returns:
        The command, for the folder where the first one was typed; None where it would not be understood.

    >>> with_method("python -m deepcluster_pl data=wine method=dec fit.max_steps=9 n_clusters=3 seed=1", "kmeans")
    'deepcluster data=wine n_clusters=3 seed=1 method=kmeans'
    """
    return _changed(command, _OF_THE_METHOD, f"method={method}")


def _other_number(scores: dict[str, Any]) -> str | None:
    """Return the command with the second best number of groups, or one that estimates it where it was typed."""
    found = scores["n_clusters_found"]
    number: Any = ClusterNumberEstimate(**found).second if found else AUTO
    # Groups that only held samples in no group are missing among the others
    if not found and (emptied := (scores.get("outliers") or {}).get("emptied")):
        number = scores["n_clusters"] + len(emptied)
    if number is None or scores["fit"]["n"] < _LEAST_FOR_AUTO:
        return None
    return _changed(scores["command"], ("n_clusters", "ckpt_path", "resume"), f"n_clusters={number}")


def _changed(command: str, without: tuple[str, ...], added: str) -> str | None:
    """Return a command without some keys and with one override more; None where it would not be understood."""
    words = shlex.split(command)[3:]
    flags, overrides = [], []
    while words:
        word = words.pop(0)
        if word == _FLAG and words:
            flags = [word, words.pop(0)]
        elif re.split(r"[=.@]", word.lstrip("+~"))[0] not in without:
            overrides.append(word)
    overrides.append(added)
    composition = compose_checked(overrides, config_dir=flags[1] if flags else None)
    if composition.problems or composition.cfg is None or problems(composition.cfg):
        return None
    return shlex.join(["deepcluster", *flags, *overrides])
