"""Command line: one parser, one file for each subcommand."""
