"""Carry out `deepcluster predict`: assign new samples to the clusters of a finished run."""

from __future__ import annotations

import argparse
from datetime import datetime

from deepcluster_pl.cli.arguments import new_file, run_with_model, split_settings
from deepcluster_pl.errors import UserError, visible
from deepcluster_pl.utils.quick_imports import quick_imports

_DESCRIPTION = """\
Assign new samples to the clusters of a finished run.

examples
  deepcluster predict run=<run folder> data.path=new.csv
  deepcluster predict run=<run folder> data=array data.path=new.npy to=new.csv accelerator=gpu

settings
  run=<folder>                  run folder
  to=<file>                     default: the run's predictions/ folder; an existing file is not overwritten, nor
                                the list of samples left out beside it, <name>.skipped.csv
  probabilities=true|false      false; true adds a column for each cluster
  accelerator=auto|cpu|gpu      auto
  data=<source>                 default: the run's own kind of source, with its options
  data.<key>=<value>            replaces one option

All samples of the source are predicted. The table has the columns id, cluster, confidence, label where known, the name
of the group, and for pictures what is in them, as in the run's assignments.csv."""
_DEFAULTS = {"run": "", "to": "", "probabilities": "false", "accelerator": "auto"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `predict` to the command line."""
    parser = subparsers.add_parser(
        "predict", help="clusters of new samples, by a finished run", description=_DESCRIPTION
    )
    parser.add_argument("settings", nargs="+", metavar="key=value")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Write the table, and print a summary and its path."""
    own, overrides = split_settings(options.settings, _DEFAULTS)
    folder = run_with_model(own["run"])
    if own["probabilities"] not in ("true", "false"):
        raise UserError(f"probabilities={own['probabilities']}: expected true or false")
    # What follows imports torch, which takes seconds
    print(
        visible(f"the model in {folder} assigns {' '.join(overrides) or 'the samples of its own source'}"), flush=True
    )
    with quick_imports():
        from deepcluster_pl.runs.failures import friendly_errors
        from deepcluster_pl.runs.new_samples import predict
        from deepcluster_pl.utils.run_folder import RunFolder, skipped_beside
        from deepcluster_pl.utils.warnings_filter import silence_libraries
    default = RunFolder(folder).predictions / f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}.csv"
    target = new_file(own["to"], default, skipped_beside)
    silence_libraries()
    with friendly_errors(None):
        print(predict(folder, overrides, target, own["probabilities"] == "true", own["accelerator"]))
    return 0
