"""Name a partition by a digest, so that choices made in one gallery are not taken for those of another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def partition_digest(ids: Iterable[object], clusters: Iterable[object]) -> str:
    """Return sixteen hexadecimal digits that name a partition.

    Args:
        ids: of all samples, in the order of assignments.csv.
        clusters: of the same samples.

    >>> partition_digest(["a.jpg", "b.jpg"], [0, 1]), partition_digest(["a.jpg", "b.jpg"], [1, 0])
    ('0304bda2eff14c73', '571d42b38a11b365')
    """
    digest = hashlib.sha256()
    for name, cluster in zip(ids, clusters, strict=True):
        digest.update(f"{name}\0{cluster}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]
