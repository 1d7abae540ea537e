"""The measurements of `scripts/benchmarks/speed.py`."""
