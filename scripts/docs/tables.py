"""Fill the tables of the documents from docs/results/*.jsonl.

    python -m scripts.docs.tables            write them
    python -m scripts.docs.tables --check    exit code 1 if a document differs from the results

A document holds marks. The text between a mark and its end is replaced:

    <!-- table: article holdout nmi_geometric,acc -->   a line per recipe: its scores over seeds, and published ones
    <!-- runs: article holdout nmi_geometric,acc -->    a line per run, with what ended it and how long it took
    <!-- conditions: article -->                        code, versions and machines of these runs
    <!-- paired: mnist_10k fit acc 32-true bf16-mixed -->   change from the first to the second precision, seed by seed
    <!-- ours: dec nmi_geometric,acc -->                scores of all recipes of one method, in every experiment
    <!-- means: fit acc kmeans,dec wine mnist+dec_mnist:da/ -->   a line per method, a column per data set: means only
    <!-- students: fit acc,nmi digits wine -->     a line per recipe with a student: teacher beside student
    <!-- starts: dec acc,nmi digits wine -->  a line per data set: the initialization beside the fit
    <!-- end -->

Numbers inside sentences have marks too: see scripts/docs/sentences.py.
A line's scores are the mean ± the standard deviation (least – most) over the seeds.

A column of `means` is one experiment, or several joined by `+`, of which the first with such runs counts. The text
after a colon is the beginning of its recipes' names. A method without such a recipe is looked up by its own name.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
from pathlib import Path
from typing import Any

from scripts.docs.recorded import Run, by_setting, precision_of, published_scores, read, setting
from scripts.docs.sentences import fill_sentences

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "docs/*.md", "docs/methods/*.md")
NAMES = {"acc": "ACC", "nmi": "NMI", "nmi_geometric": "NMI (geometric)", "ari": "ARI", "silhouette": "silhouette"}
KINDS = "table|runs|paired|conditions|ours|means|students|starts"
MARK = re.compile(rf"(<!-- ({KINDS}): ([^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Write or check every document; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 where a table is stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that holds the documents")
    chosen = parser.parse_args()
    stale = []
    for file in sorted(file for name in DOCUMENTS for file in chosen.root.glob(name)):
        name = file.relative_to(chosen.root).as_posix()
        before = file.read_text(encoding="utf-8")
        after = filled(before, chosen.root / "docs" / "results")
        if after != before:
            stale.append(name)
            if not chosen.check:
                file.write_text(after, encoding="utf-8")
    for name in stale:
        print(
            f"{name}: {'differs from docs/results; run python -m scripts.docs.tables' if chosen.check else 'written'}"
        )
    return int(chosen.check and bool(stale))


def filled(text: str, results: Path) -> str:
    """Return the document with the content of every mark computed again."""

    def content(match: re.Match[str]) -> str:
        kind, words = match[2], match[3].split()
        if kind == "ours":
            return f"{match[1]}{ours(results, words[0], words[1].split(','))}\n{match[4]}"
        if kind == "means":
            made = markdown(means(results, words[0], words[1], words[2].split(","), words[3:]))
            return f"{match[1]}{made}\n{match[4]}"
        if kind == "students":
            made = markdown(students(results, words[0], words[1].split(","), words[2:]))
            return f"{match[1]}{made}\n{match[4]}"
        if kind == "starts":
            made = markdown(starts(results, words[0], words[1].split(","), words[2:]))
            return f"{match[1]}{made}\n{match[4]}"
        runs = read(results / f"{words[0]}.jsonl")
        if kind == "conditions":
            made = conditions(runs)
        elif kind == "paired":
            made = markdown(paired(runs, words[1], words[2].split(","), words[3], words[4]))
        else:
            made = markdown((table if kind == "table" else each_run)(runs, words[1], words[2].split(",")))
        return f"{match[1]}{made}\n{match[4]}"

    return fill_sentences(MARK.sub(content, text), results)


def table(runs: list[Run], part: str, metrics: list[str]) -> list[list[str]]:
    """Return a header and one row per recipe, precision and device."""
    compared = [m for m in metrics if any(m in published_scores(run, part) for run in runs)]
    header = ["`method=`", "precision", "seeds"]
    for metric in metrics:
        header += [NAMES[metric], *(["published"] if metric in compared else [])]
    rows = [header]
    for members in by_setting(runs):
        row = _head(members)
        for metric in metrics:
            row.append(spread([run[part][metric] for run in members]))
            if metric in compared:
                published = published_scores(members[0], part)
                row.append(f"{published[metric]:g}" if metric in published else "–")
        rows.append(row)
    return rows


def ours(results: Path, method: str, metrics: list[str]) -> str:
    """Return one row per experiment, recipe of this method, part of the data, and precision."""
    rows = [["experiment", "samples", "`method=`", "precision", "seeds", *(NAMES[metric] for metric in metrics)]]
    for file in sorted(results.glob("*.jsonl")):
        runs = [run for run in read(file) if run["recipe"].rpartition("/")[2] == method]
        for members in by_setting(runs):
            for part in ("fit", "holdout"):
                blocks = [run[part] for run in members if run[part]]
                if blocks:
                    samples = f"{blocks[0]['n']:,} {'fitted' if part == 'fit' else 'held out'}"
                    scores = [spread([block[metric] for block in blocks]) for metric in metrics]
                    rows.append([file.stem, samples, *_head(members), *scores])
    return markdown(rows) if len(rows) > 1 else "None yet."


def means(results: Path, part: str, metric: str, methods: list[str], columns: list[str]) -> list[list[str]]:
    """Return a header and one row per method: the mean over seeds on each data set, the largest of each in bold.

    Args:
        results: folder of the recorded runs.
        part: `fit` or `holdout`.
        metric: key of a score.
        methods: names of recipes, without the beginning that a column adds.
        columns: data sets, as the text at the top of this file says.

    Returns:
        Cells of the table; `–` where no run was recorded.
    """
    rows = [["`method=`"], *([f"`{method}`"] for method in methods)]
    for column in columns:
        experiments, _, prefix = column.partition(":")
        names = experiments.split("+")
        groups = [group for name in names for group in by_setting(read(results / f"{name}.jsonl"))]
        chosen = [_runs_of(method, prefix, groups) for method in methods]
        values = [statistics.mean(run[part][metric] for run in runs) if runs else None for runs in chosen]
        # The header: name, number of samples, beginning of the recipes' names
        n = next(runs[0][part]["n"] for runs in chosen if runs)
        rows[0].append(f"{names[0].replace('_', ' ')}, {n:,}{f', `{prefix}`' if prefix else ''}")
        largest = max(value for value in values if value is not None)
        for row, value in zip(rows[1:], values, strict=True):
            text = "–" if value is None else f"{value:.3f}"
            row.append(f"**{text}**" if value == largest else text)
    return rows


def students(results: Path, part: str, metrics: list[str], experiments: list[str]) -> list[list[str]]:
    """Return a header and one row per recipe with a student: means without it and with it, and how often a score rose.

    Both partitions are of the same runs: `teacher` is what the run would have ended with.

    Args:
        results: folder of the recorded runs.
        part: `fit` or `holdout`.
        metrics: keys of scores.
        experiments: names of the files with recorded runs.

    Returns:
        Cells of the table.
    """
    rows = [["data", "`method=`", "seeds"]]
    for metric in metrics:
        rows[0] += [f"{NAMES[metric]} off", "on", "rose in"]
    for experiment in experiments:
        runs = [run for run in read(results / f"{experiment}.jsonl") if run.get("teacher")]
        for members in by_setting(runs):
            head = _head(members)
            place = ", on a GPU" * ("GPU" in head[1])
            row = [f"{experiment.replace('_', ' ')}, {members[0][part]['n']:,}{place}", head[0], head[2]]
            for metric in metrics:
                off, on = [run["teacher"][part][metric] for run in members], [run[part][metric] for run in members]
                row += [spread(off), spread(on), f"{sum(b > a for a, b in zip(off, on, strict=True))} of {len(on)}"]
            rows.append(row)
    return rows


def starts(results: Path, method: str, metrics: list[str], experiments: list[str]) -> list[list[str]]:
    """Return a header and one row per data set: means of the initialization and of the fit, and how often it fell.

    Both partitions are of the same runs, which took the plain recipe and kept their fit.

    Args:
        results: folder of the recorded runs.
        method: name of the recipe.
        metrics: keys of scores.
        experiments: names of the files with recorded runs.

    Returns:
        Cells of the table.
    """
    rows = [["data", "seeds"]]
    for metric in metrics:
        rows[0] += [f"{NAMES[metric]} of the start", "of the fit", "fell in"]
    for experiment in experiments:
        known = [run for run in read(results / f"{experiment}.jsonl") if run.get("start") and not run.get("teacher")]
        for members in by_setting([run for run in known if setting(run) == method and run.get("kept") != "start"]):
            row = [f"{experiment.replace('_', ' ')}, {members[0]['fit']['n']:,}", _head(members)[2]]
            for metric in metrics:
                pairs = [(run["start"]["fit"][metric], run["fit"][metric]) for run in members]
                row += [f"{statistics.mean(values):.3f}" for values in zip(*pairs, strict=True)]
                row.append(f"{sum(after < before for before, after in pairs)} of {len(pairs)}")
            rows.append(row)
    return rows


def _runs_of(method: str, prefix: str, groups: list[list[Run]]) -> list[Run]:
    """Return the runs of a recipe without further settings: with the prefix if there are any, else without."""
    for name in (f"{prefix}{method}", method):
        for runs in groups:
            if setting(runs[0]) == name:
                return runs
    return []


def each_run(runs: list[Run], part: str, metrics: list[str]) -> list[list[str]]:
    """Return a header and one row per run."""
    rows = [["`method=`", "seed", "precision", "ended by", "steps", "minutes", *(NAMES[m] for m in metrics), "commit"]]
    for run in runs:
        minutes = sum(seconds or 0.0 for seconds in run["seconds"].values()) / 60
        values = [f"{run[part][metric]:.4f}" for metric in metrics]
        head = [f"`{setting(run)}`", str(run["seed"]), precision_of(run)]
        rows.append([*head, run["stopped"], str(run["steps"]), f"{minutes:.1f}", *values, run["commit"][:10]])
    return rows


def paired(runs: list[Run], part: str, metrics: list[str], first: str, second: str) -> list[list[str]]:
    """Return a header and one row per recipe: mean difference, second precision less the first, its standard error."""
    rows = [["`method=`", "seeds", *(f"{NAMES[metric]}, {second} less {first}" for metric in metrics)]]
    for recipe in dict.fromkeys(setting(run) for run in runs):
        by = {(precision_of(run), run["seed"]): run[part] for run in runs if setting(run) == recipe}
        seeds = [seed for precision, seed in by if precision == first and (second, seed) in by]
        if len(seeds) > 1:
            row = [f"`{recipe}`", ", ".join(map(str, seeds))]
            for metric in metrics:
                changes = [by[second, seed][metric] - by[first, seed][metric] for seed in seeds]
                error = statistics.stdev(changes) / len(changes) ** 0.5
                row.append(f"{statistics.mean(changes):+.4f} ± {error:.4f} (standard error)")
            rows.append(row)
    return rows


def conditions(runs: list[Run]) -> str:
    """Return versions and machines, one line each."""
    versions = sorted({", ".join(f"{name} {number}" for name, number in run["versions"].items()) for run in runs})
    machines = sorted({_machine(run["machine"]) for run in runs})
    return "\n".join(f"- {text}" for text in (*versions, *machines))


def spread(values: list[float]) -> str:
    """Return the mean; of several values also their standard deviation, the least and the most.

    >>> spread([0.5]), spread([0.5, 0.7])
    ('0.5000', '0.6000 ± 0.1414 (0.5000 – 0.7000)')
    """
    mean = f"{statistics.mean(values):.4f}"
    if len(values) == 1:
        return mean
    return f"{mean} ± {statistics.stdev(values):.4f} ({min(values):.4f} – {max(values):.4f})"


def markdown(rows: list[list[str]]) -> str:
    """Return a table in Markdown, one line a row."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def _head(members: list[Run]) -> list[str]:
    first = members[0]
    return [f"`{setting(first)}`", precision_of(first), ", ".join(str(run["seed"]) for run in members)]


def _machine(machine: dict[str, Any]) -> str:
    kind = [machine["accelerator"], machine["vector_instructions"]]
    if machine["accelerator"] == "cpu":
        kind.append(f"{machine['threads']} thread{'s' * (machine['threads'] != 1)} a run")
    if machine.get("processes", 1) > 1:
        kind.append(f"{machine['processes']} processes")
    return f"{machine['processor']} ({', '.join(kind)}), {machine['precision']}"


if __name__ == "__main__":
    sys.exit(main())
