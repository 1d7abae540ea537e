"""Carry out `deepcluster choose-k`: compare the numbers of clusters that a sweep tried."""

from __future__ import annotations

import argparse
from pathlib import Path

from deepcluster_pl.errors import UserError

_DESCRIPTION = """\
Compare the numbers of clusters that a sweep tried, without labels: silhouette of the input, BIC on the pretrained
embeddings, and agreement of the partitions of different seeds.

examples
  deepcluster experiment=choose_k data.path=table.csv method=ae_gmm     the sweep, which prints the same at its end
  deepcluster choose-k outputs/sweeps/<time>"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `choose-k` to the command line."""
    parser = subparsers.add_parser("choose-k", help="compare numbers of clusters of a sweep", description=_DESCRIPTION)
    parser.add_argument("folder", type=Path, help="a sweep's folder")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Print a table and advice for each recipe of the sweep."""
    from deepcluster_pl.runs.n_clusters_sweep import comparison, read_candidates

    recipes = read_candidates(options.folder)
    if not recipes:
        raise UserError(f"{options.folder}: found no sweep over several n_clusters with fitted runs")
    print(comparison(recipes), end="")
    return 0
