"""Clustering methods: one file, one method."""
