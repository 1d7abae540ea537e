"""Record the scores of finished runs in docs/results/<experiment>.jsonl, one line for each run.

    python -m scripts.benchmarks.record outputs/sweeps/<time> [outputs/mnist/dec/<time> ...]

A line is the run's scores.json with its experiment and recipe: command, commit, versions, machine, precision, seconds
and all scores. Folders of the machine stay out: settings that are absolute paths, and the verdict.

A run of changed code is refused, and so is one that was recorded before: lines are never replaced. When a recipe
changes, its earlier lines get a key `by_now`, the settings that give the earlier recipe today. The command may then be
recorded again. `python -m scripts.docs.tables` makes the tables from the lines.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
_PLACE = re.compile(r"""\s[\w.]+=(["']?)/(?(1).*?\1|\S*)(?=\s|$)""")
"""A setting of a command whose value is an absolute path."""


def main() -> int:
    """Record every run below the folders; exit code 1 where one was refused."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="runs, sweeps, or folders of them")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the lines")
    chosen = parser.parse_args()
    refused = 0
    for folder in chosen.folders:
        runs = sorted(path.parent for path in folder.rglob("scores.json"))
        if not runs:
            print(f"{folder}: found no finished run (a folder with scores.json)", file=sys.stderr)
            refused += 1
        for run in runs:
            problem = record(run, chosen.results)
            print(f"{run}: {problem or 'recorded'}", file=sys.stderr if problem else sys.stdout)
            refused += problem is not None
    return int(refused > 0)


def record(run: Path, results: Path) -> str | None:
    """Append the line of one run; return the reason if it is refused."""
    scores = without_places(json.loads((run / "scores.json").read_text(encoding="utf-8")))
    commit = scores.get("commit")
    if commit is None or commit.endswith("-dirty"):
        return f"its commit is {commit}; record runs of committed code only"
    choices: Any = OmegaConf.select(OmegaConf.load(run / "config" / "hydra.yaml"), "hydra.runtime.choices")
    experiment = scores["data"] if choices.experiment == "none" else choices.experiment
    file = results / f"{experiment}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, start=1):
        known = json.loads(line)
        if known["command"] == scores["command"] and "by_now" not in known:
            return f"line {number} of {file.name} holds this command already"
    line = json.dumps({"experiment": experiment, "recipe": choices.method, **scores}, allow_nan=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(line + "\n")
    return None


def without_places(scores: dict[str, Any]) -> dict[str, Any]:
    """Return scores without folders of the machine: those of the command, and the verdict, which follows from the rest.

    >>> without_places({"command": "run data.root=/home/me/data seed=0", "verdict": {"next": "open /tmp/report.html"}})
    {'command': 'run seed=0'}
    """
    kept = {key: value for key, value in scores.items() if key != "verdict"}
    return kept | {"command": _PLACE.sub("", scores["command"])}


if __name__ == "__main__":
    sys.exit(main())
