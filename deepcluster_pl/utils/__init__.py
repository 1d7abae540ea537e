"""The ground floor: files, locks, value ranges, quiet libraries; processes, draws and image layouts.

Only names that need neither torch nor numpy are exported, because the command line's help and the processes that
decode pictures import this package. The other modules are imported by their own names.
"""

from deepcluster_pl.utils.atomic_files import atomic_copy, atomic_write, disk_error, remove_partial_files
from deepcluster_pl.utils.locking import folder_lock
from deepcluster_pl.utils.ranges import Count, NonNegativeFloat, NonNegativeInt, OpenShare, PositiveFloat, Share
from deepcluster_pl.utils.warnings_filter import silence_libraries, silenced_libraries

__all__ = [
    "Count",
    "NonNegativeFloat",
    "NonNegativeInt",
    "OpenShare",
    "PositiveFloat",
    "Share",
    "atomic_copy",
    "atomic_write",
    "disk_error",
    "folder_lock",
    "remove_partial_files",
    "silence_libraries",
    "silenced_libraries",
]
