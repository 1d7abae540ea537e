"""A source of whatever table a test needs, and what its batches hold."""

from __future__ import annotations

from itertools import chain

from deepcluster_pl.data.base import ClusteringData


class InMemory(ClusteringData):
    """Counts how often it is loaded."""

    def __init__(self, table, options):
        super().__init__(options)
        self.table = table
        self.loaded = 0

    def load(self):
        self.loaded += 1
        return self.table


def flat(batches):
    return list(chain.from_iterable(batches))


def indices(loader):
    return [index.tolist() for _, index in loader]
