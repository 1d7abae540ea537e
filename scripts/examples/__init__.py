"""Scripts that make the tables of examples/."""
