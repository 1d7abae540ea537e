"""The gallery of a run, gallery.html: pictures by group, to look through, name, merge and mark without a network."""

from __future__ import annotations

from deepcluster_pl.reporting.gallery.digest import partition_digest
from deepcluster_pl.reporting.gallery.page import save_gallery

__all__ = ["partition_digest", "save_gallery"]
