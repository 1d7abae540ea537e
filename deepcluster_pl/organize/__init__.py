"""A photo library's pictures in folders of their groups, months or places: copies and links, never moves."""

from __future__ import annotations

from deepcluster_pl.organize.choices import Choices, read_choices
from deepcluster_pl.organize.command import add_parser, execute
from deepcluster_pl.organize.manifest import Manifest, PlacedFile
from deepcluster_pl.organize.paths import MANIFEST_NAME
from deepcluster_pl.organize.placement import PlacementResult, place_all
from deepcluster_pl.organize.plan import Picture, folder_for, read_pictures
from deepcluster_pl.organize.undo import UndoResult, undo_all

__all__ = [
    "MANIFEST_NAME",
    "Choices",
    "Manifest",
    "Picture",
    "PlacedFile",
    "PlacementResult",
    "UndoResult",
    "add_parser",
    "execute",
    "folder_for",
    "place_all",
    "read_choices",
    "read_pictures",
    "undo_all",
]
