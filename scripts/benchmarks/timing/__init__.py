"""What `scripts/benchmarks/speed.py` measures, and how."""
