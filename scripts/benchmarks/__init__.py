"""Measure speed and scores, and write the tables of the documents."""
