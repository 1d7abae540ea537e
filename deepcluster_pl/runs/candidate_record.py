"""The record of a candidate that has ended, in its folder: the seconds it took, and the reason if it failed."""

from __future__ import annotations

import json
import math
from pathlib import Path

from deepcluster_pl.errors import visible
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.json_files import read_json

_BYTES, _LONGEST = 2**16, 500


def read_record(file: Path) -> tuple[float, str]:
    """Return the seconds and the reason; 0 and an empty string where there is no record, or a damaged one.

    The reason is printed, so it becomes one line without control characters.
    """
    try:
        record = read_json(file, _BYTES)
        seconds, problem = float(record["seconds"]), " ".join(str(record["problem"]).split())
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return 0.0, ""
    return seconds if 0 <= seconds < math.inf else 0.0, visible(problem)[:_LONGEST]


def write_record(file: Path, seconds: float, problem: str) -> None:
    """Store the seconds, and the reason of one that failed.

    Args:
        file: candidate.json in the candidate's folder.
        seconds: that it took.
        problem: an empty string where it has a result.

    Raises:
        UserError: the file cannot be written.
    """
    with atomic_write(file) as out:
        json.dump({"seconds": round(seconds, 3), "problem": problem}, out)
