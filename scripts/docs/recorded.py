"""Read recorded runs (docs/results/*.jsonl) and group those that differ in nothing but the seed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

_NO_SETTINGS = re.compile(
    r"(experiment|method|seed|pretrained|cache_dir|resume|ckpt_path|baselines|checkpoint_interval|data\.root"
    r"|data\.download|trainer\..*|logger.*|hydra\..*)="
)
Run = dict[str, Any]


def read(file: Path) -> list[Run]:
    """Return recorded runs, by recipe in the order of their first line, then precision and seed."""
    runs = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    settings = list(dict.fromkeys(setting(run) for run in runs))
    return sorted(runs, key=lambda run: (settings.index(setting(run)), precision_of(run), run["seed"]))


def setting(run: Run) -> str:
    """Return the recipe with its changed settings, without those of the machine, of places and of the seed.

    If the recipe was changed after the run, `by_now` of the line holds the settings that give the earlier recipe.

    >>> setting({"experiment": "mnist", "recipe": "da/dec", "command": "run data=mnist method=da/dec fit.max_steps=9"})
    'da/dec fit.max_steps=9'
    """
    typed = [word for word in shlex.split(run["command"]) if re.match(r"[+~]*[\w.@/]+=", word)]
    own = f"data={run['experiment']}"
    changed = [word for word in typed if word != own and not _NO_SETTINGS.match(word.lstrip("+~"))]
    return " ".join([run["recipe"], *changed, *run.get("by_now", "").split()])


def precision_of(run: Run) -> str:
    """Return the precision of a run, and that it was on a GPU.

    >>> precision_of({"machine": {"precision": "bf16-mixed", "accelerator": "cuda"}})
    'bf16-mixed, GPU'
    """
    machine = run["machine"]
    return f"{machine['precision']}{', GPU' * (machine.get('accelerator') == 'cuda')}"


def by_setting(runs: list[Run]) -> list[list[Run]]:
    """Return runs in groups that differ in nothing but the seed: one device, one precision, one recipe."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((setting(run), precision_of(run)), []).append(run)
    return list(groups.values())


def published_scores(run: Run, part: str) -> dict[str, float]:
    """Return the scores that others published for a run's recipe and part of the data."""
    return (run["published"] or {}).get(part) or {}
