"""Encoders: each makes the columns of one kind into numbers, and is stored as JSON."""
