"""Benchmarks, checks, and scripts that write the documents: `python -m scripts.<group>.<name>`."""
