"""What `scripts/benchmark_speed.py` measures, and how."""
