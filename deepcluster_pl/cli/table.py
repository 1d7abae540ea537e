"""Carry out `deepcluster table`: print the scores of a sweep."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deepcluster_pl.errors import UserError

_DESCRIPTION = """\
Print a sweep's scores: mean and standard deviation, minimum and maximum over seeds of every recipe, and jobs that
failed. A recipe is a job's overrides without its seed.

examples
  deepcluster table outputs/sweeps/<time>
  deepcluster table outputs/sweeps/<time> --format markdown --part holdout --metrics acc,nmi"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `table` to the command line."""
    parser = subparsers.add_parser("table", help="print a sweep's scores over seeds", description=_DESCRIPTION)
    parser.add_argument("folder", type=Path, help="a sweep's folder, or the parent of several runs")
    parser.add_argument("--format", choices=("text", "markdown", "csv"), default="text")
    parser.add_argument("--part", choices=("fit", "holdout"), default="fit")
    parser.add_argument("--metrics", default="acc,nmi,ari,silhouette", help="keys of scores.json, separated by commas")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Print the table; return exit code 1 if a job failed."""
    from deepcluster_pl.runs.sweep_table import collect_scores, render_table, table_rows

    recipes = collect_scores(options.folder, options.part, options.metrics.split(","))
    if not recipes:
        raise UserError(f"{options.folder}: found no run (a folder with config/overrides.yaml)")
    print(render_table(list(table_rows(recipes)), options.format), end="")
    failed = [f"failed: {name}: {folder}" for name, recipe in recipes.items() for folder in recipe.failed]
    for line in failed:
        print(line, file=sys.stderr)
    return int(bool(failed))
