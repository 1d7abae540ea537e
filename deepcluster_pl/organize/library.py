"""Find the library that a run was on, and check that files are read from it alone and placed outside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.organize.paths import folder_identities, is_below, is_within_identities, leads_elsewhere


class Library(NamedTuple):
    """The pictures that a run was on: their folder, and whether the run followed links out of it."""

    root: Path
    follows_links: bool


def run_library(run: Path) -> Library:
    """Return the library that a run was on, as its saved config names it.

    Raises:
        UserError: the folder holds no run on pictures, or its config names no folder.
    """
    from deepcluster_pl.runs.folder import saved_run

    saved = saved_run(run) if (run / "config").is_dir() else None
    if saved is None or "root" not in saved.cfg.data:
        raise UserError(f"run={run}: found no run on a folder of pictures; type run=<the run folder of one>")
    try:
        root = (saved.cwd / Path(str(saved.cfg.data.root)).expanduser()).resolve()
    except (ValueError, RuntimeError, OSError) as error:
        raise UserError(
            f"run={run}: data.root={saved.cfg.data.root!r} names no folder ({first_line(error)})"
        ) from error
    return Library(root, saved.cfg.data.get("follow_links") is True)


def check_originals_below(root: Path, originals: Sequence[Path]) -> None:
    """Raise `UserError` for an original that a link leads to outside the library.

    Args:
        root: the library, without links.
        originals: paths below it.
    """
    is_folder_below: dict[Path, bool] = {}
    for path in originals:
        if path.parent not in is_folder_below:
            is_folder_below[path.parent] = is_below(path.parent, root)
        if not (is_below(path, root) if path.is_symlink() else is_folder_below[path.parent]):
            raise UserError(f"{path} leads out of the library {root} by a link, which this run did not follow")


def check_target_outside(target: Path, folders: Iterable[str], root: Path, library: set[Path]) -> None:
    """Raise `UserError` if files would be placed inside the library, or outside the target.

    Args:
        target: the target folder.
        folders: folders below it.
        root: the library.
        library: folders of the library, one of which the target could be under another name, such as a mount.
    """
    identities = folder_identities({root, *library})
    if is_below(target, root) or is_within_identities(target, identities):
        raise UserError(f"to={target} is inside the library {root}; type to=<a folder outside it>")
    # A link in the target could lead back into the library, or anywhere else
    for folder in folders:
        place = target / folder
        if is_below(place, root) or is_within_identities(place, identities):
            raise UserError(f"{place} would be inside the library {root}; type to=<another folder>")
        if leads_elsewhere(target, folder):
            raise UserError(f"{place} leads out of {target} by a link; type to=<another folder>")
