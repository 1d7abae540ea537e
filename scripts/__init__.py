"""Benchmarks, checks, and programs that write the documents: `python -m scripts.<group>.<name>`."""
