"""Numbers about a partition."""
