"""What is typed: one parser, one file for each subcommand."""
