"""gallery.html: a folder's pictures in their groups, to look through, name, merge and mark, without a network."""

from __future__ import annotations

from deepcluster_pl.reporting.gallery.page import save_gallery

__all__ = ["save_gallery"]
