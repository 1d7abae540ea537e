"""Carry out the command `deepcluster [run] | predict | export | organize | table | choose-k | completion`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from deepcluster_pl import __version__
from deepcluster_pl.cli.arguments import Parser, unknown_command
from deepcluster_pl.cli.signals import interruptible
from deepcluster_pl.errors import InterruptedRun, UserError, resume_command, visible
from deepcluster_pl.utils.atomic_files import describe_disk_error
from deepcluster_pl.utils.passive_threads import wait_passively

COMMANDS = {
    "run": "deepcluster_pl.cli.run",
    "predict": "deepcluster_pl.cli.predict",
    "export": "deepcluster_pl.cli.export",
    "organize": "deepcluster_pl.organize.command",
    "table": "deepcluster_pl.cli.table",
    "choose-k": "deepcluster_pl.cli.choose_k",
    "completion": "deepcluster_pl.cli.completion",
}
"""Module of each subcommand: `add_parser(subparsers)` defines its words, `execute(options)` carries it out."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out one command line, and exit with its code; no other function sets exit codes.

    Args:
        arguments: the words after `deepcluster`; None for those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    wait_passively()
    try:
        with interruptible():
            code = dispatch(words)
    except UserError as error:
        print(visible(str(error)), file=sys.stderr)
        code = 1
    except InterruptedRun as end:
        advice = f"{resume_command(end.folder)} to continue" if end.folder else "the command again"
        print(f"interrupted; type {advice}", file=sys.stderr)
        code = 128 + end.number
    except BrokenPipeError:  # the program that reads our output, such as head, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except KeyboardInterrupt:
        print("interrupted; type the command again", file=sys.stderr)
        code = 130
    except OSError as error:
        text = describe_disk_error(error, None)
        if text is None:
            raise
        print(visible(text), file=sys.stderr)
        code = 1
    sys.exit(code)


def dispatch(words: Sequence[str]) -> int:
    """Carry out one command line.

    Args:
        words: a subcommand and its arguments; without a subcommand they are those of `run`.

    Returns:
        The exit code.
    """
    first = words[0] if words else ""
    if first in ("-h", "--help"):
        from deepcluster_pl.cli.help import overview

        print(overview())
        return 0
    if first == "--version":
        print(f"deepcluster_pl {__version__}")
        return 0
    if is_run(words):
        from deepcluster_pl.cli.run import execute

        return execute(words[1:] if first == "run" else words)
    if first not in COMMANDS:
        raise unknown_command(first, list(COMMANDS))
    options = parser_for(first).parse_args(list(words))
    return int(options.execute(options))


def is_run(words: Sequence[str]) -> bool:
    """Return whether a command line is one of `run`: its first word is that, a flag, a setting, or missing.

    >>> is_run(["method=dec"]), is_run(["run"]), is_run([]), is_run(["predict", "run=outputs/1"])
    (True, True, True, False)
    """
    first = words[0] if words else "run"
    return first in ("run", "") or first.startswith("-") or "=" in first


def parser_for(command: str) -> Parser:
    """Return a parser that knows one subcommand."""
    parser = Parser(prog="deepcluster", description="Cluster data that nobody labeled.")
    subparsers = parser.add_subparsers(dest="command", metavar="command", parser_class=Parser)
    import_module(COMMANDS[command]).add_parser(subparsers)
    return parser
