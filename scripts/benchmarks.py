"""Fill the tables of the documents from docs/results/*.jsonl.

    python scripts/benchmarks.py            write them
    python scripts/benchmarks.py --check    exit code 1 where a document does not agree with the results

A document holds marks; what stands between a mark and its end is replaced:

    <!-- table: article holdout nmi_geometric,acc -->   a line per recipe: mean (least – most) over seeds, and published
    <!-- runs: article holdout nmi_geometric,acc -->    a line per run, with what ended it and how long it took
    <!-- conditions: article -->                        code, versions and machines of these runs
    <!-- end -->
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "docs/benchmarks.md")
NAMES = {"acc": "ACC", "nmi": "NMI", "nmi_geometric": "NMI (geometric)", "ari": "ARI", "silhouette": "silhouette"}
MARK = re.compile(r"(<!-- (table|runs|conditions): ([^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)
Run = dict[str, Any]


def main() -> int:
    """Write or check every document."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 where a table is stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that holds the documents")
    chosen = parser.parse_args()
    stale = []
    for name in DOCUMENTS:
        file = chosen.root / name
        before = file.read_text(encoding="utf-8")
        after = filled(before, chosen.root / "docs" / "results")
        if after != before:
            stale.append(name)
            if not chosen.check:
                file.write_text(after, encoding="utf-8")
    for name in stale:
        print(f"{name}: {'does not agree with docs/results; run scripts/benchmarks.py' if chosen.check else 'written'}")
    return int(chosen.check and bool(stale))


def filled(text: str, results: Path) -> str:
    """The document with every mark's content made anew."""

    def content(match: re.Match[str]) -> str:
        kind, words = match[2], match[3].split()
        runs = read(results / f"{words[0]}.jsonl")
        if kind == "conditions":
            made = conditions(runs)
        else:
            made = markdown((table if kind == "table" else each_run)(runs, words[1], words[2].split(",")))
        return f"{match[1]}{made}\n{match[4]}"

    return MARK.sub(content, text)


def read(file: Path) -> list[Run]:
    """Recorded runs, by recipe in the order of their first line, then precision and seed."""
    runs = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    recipes = list(dict.fromkeys(run["recipe"] for run in runs))
    return sorted(runs, key=lambda run: (recipes.index(run["recipe"]), run["machine"]["precision"], run["seed"]))


def table(runs: list[Run], part: str, metrics: list[str]) -> list[list[str]]:
    """Header and one row per recipe and precision."""
    compared = [m for m in metrics if any(m in _published(run, part) for run in runs)]
    header = ["`method=`", "precision", "seeds"]
    for metric in metrics:
        header += [NAMES[metric], *(["published"] if metric in compared else [])]
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run["recipe"], run["machine"]["precision"]), []).append(run)
    rows = [header]
    for (recipe, precision), members in groups.items():
        row = [f"`{recipe}`", precision, ", ".join(str(run["seed"]) for run in members)]
        for metric in metrics:
            row.append(spread([run[part][metric] for run in members]))
            if metric in compared:
                row.append(
                    f"{_published(members[0], part)[metric]:g}" if metric in _published(members[0], part) else "–"
                )
        rows.append(row)
    return rows


def each_run(runs: list[Run], part: str, metrics: list[str]) -> list[list[str]]:
    """Header and one row per run."""
    rows = [["`method=`", "seed", "precision", "ended by", "steps", "minutes", *(NAMES[m] for m in metrics), "commit"]]
    for run in runs:
        minutes = sum(seconds or 0.0 for seconds in run["seconds"].values()) / 60
        values = [f"{run[part][metric]:.4f}" for metric in metrics]
        head = [f"`{run['recipe']}`", str(run["seed"]), run["machine"]["precision"]]
        rows.append([*head, run["stopped"], str(run["steps"]), f"{minutes:.1f}", *values, run["commit"][:10]])
    return rows


def conditions(runs: list[Run]) -> str:
    """Versions and machines, as one sentence each."""
    versions = sorted({", ".join(f"{name} {number}" for name, number in run["versions"].items()) for run in runs})
    machines = sorted({_machine(run["machine"]) for run in runs})
    return "\n".join(f"- {text}" for text in (*versions, *machines))


def spread(values: list[float]) -> str:
    """Mean, and the least and the most where there are several.

    >>> spread([0.5]), spread([0.5, 0.7])
    ('0.5000', '0.6000 (0.5000 – 0.7000)')
    """
    mean = f"{statistics.mean(values):.4f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.4f} – {max(values):.4f})"


def markdown(rows: list[list[str]]) -> str:
    """A table in Markdown, one line a row."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def _published(run: Run, part: str) -> dict[str, float]:
    return (run["published"] or {}).get(part) or {}


def _machine(machine: dict[str, Any]) -> str:
    kind = [machine["accelerator"], machine["vector_instructions"]]
    if machine["accelerator"] == "cpu":
        kind.append(f"{machine['threads']} thread{'s' * (machine['threads'] != 1)} a run")
    return f"{machine['processor']} ({', '.join(kind)}), {machine['precision']}"


if __name__ == "__main__":
    sys.exit(main())
