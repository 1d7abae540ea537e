"""Carry out `deepcluster export`: write the model of a finished run for programs without this package."""

from __future__ import annotations

import argparse

from deepcluster_pl.cli.arguments import new_file, run_with_model, split_settings
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.quick_imports import quick_imports

_DESCRIPTION = """\
Export the model of a finished run for programs without this package.

examples
  deepcluster export run=<run folder>                                  a torch.export program (.pt2)
  deepcluster export run=<run folder> format=onnx to=model.onnx        needs pip install 'deepcluster_pl[export]'
  deepcluster export run=<run folder> format=safetensors to=<folder>   weights, and a JSON file with their structure

settings
  run=<folder>                               run folder
  format=torch_export|onnx|safetensors       torch_export
  to=<file>                                  default: the run's export/ folder; an existing file is not overwritten

A graph takes raw samples (N, ...) as they were in the data and returns embeddings (N, D) and probabilities (N, K).
Of a table with categories, dates or gaps it takes raw numbers; <file>.columns.json says how a cell becomes one."""
_DEFAULTS = {"run": "", "format": "torch_export", "to": ""}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `export` to the command line."""
    parser = subparsers.add_parser("export", help="a run's model for other programs", description=_DESCRIPTION)
    parser.add_argument("settings", nargs="+", metavar="key=value")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Write the model and print its path."""
    own, of_data = split_settings(options.settings, _DEFAULTS)
    if of_data:
        raise UserError(f"{of_data[0]}: an export has no data; expected run=, format=, to=")
    folder = run_with_model(own["run"])
    with quick_imports():
        from deepcluster_pl.methods.export import FORMATS, save_inputs
        from deepcluster_pl.runs.failures import friendly_errors
        from deepcluster_pl.utils.run_folder import RunFolder
        from deepcluster_pl.utils.warnings_filter import silence_libraries
    if own["format"] not in FORMATS:
        raise UserError(f"format={own['format']}: expected {', '.join(FORMATS)}")
    suffix, write = FORMATS[own["format"]]
    run = RunFolder(folder)
    target = new_file(own["to"], run.export / f"model{suffix}")
    silence_libraries()
    with friendly_errors(None):
        write(run.model, target)
        inputs = save_inputs(run.model, target) if suffix else None
    print(target)
    if inputs is not None:
        print(f"its inputs are raw numbers of the table's columns, described in {inputs}")
    return 0
