"""Read scores.json of an earlier run, which may be damaged or come from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deepcluster_pl.errors import unreadable
from deepcluster_pl.utils.json_files import read_json
from deepcluster_pl.utils.run_folder import RunFolder

_BLOCKS = ("fit", "holdout", "published")
_NUMBERS = ("seed", "n_clusters")


def read_scores(job: Path) -> dict[str, Any]:
    """Return the content of a run's scores.json.

    Args:
        job: the run folder.

    Returns:
        The content: `seed` and `n_clusters` are whole numbers, `fit` holds scores, and so do `holdout` and `published`
        where they are not null.

    Raises:
        UserError: the file is damaged, or is no scores.json.
    """
    file = RunFolder(job).scores
    try:
        scores = read_json(file)
        _check(scores)
    except (OSError, ValueError) as error:
        raise unreadable(file, error, "is damaged") from error
    return dict(scores)


def _check(scores: Any) -> None:
    """Raise `ValueError` for content of another form."""
    if not isinstance(scores, dict):
        raise ValueError("it holds no scores")
    for name in _NUMBERS:
        if type(scores.get(name)) is not int:
            raise ValueError(f"found {str(scores.get(name))[:50]!r} as {name}, expected a whole number")
    if not isinstance(scores.get("fit"), dict):
        raise ValueError("it has no scores of the fitted part")
    for name in _BLOCKS:
        block = scores.get(name)
        if not isinstance(block, dict | None):
            raise ValueError(f"found {str(block)[:50]!r} as {name}, expected scores")
        parts = (block or {}).values() if name == "published" else (block or {},)
        if not all(isinstance(part, dict) for part in parts):
            raise ValueError(f"{name} holds something else than scores")
        for key, value in ((key, value) for part in parts for key, value in part.items()):
            if isinstance(value, str):
                raise ValueError(f"found {value[:50]!r} as {key}, expected a number")
