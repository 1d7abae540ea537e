"""The command line as the tests of commands type it."""

from commands.conftest import cli_run

__all__ = ["cli_run"]
