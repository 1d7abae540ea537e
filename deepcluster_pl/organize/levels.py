"""Put the pictures of a run into coarser or finer groups than the run chose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize.choices import Choices
from deepcluster_pl.organize.plan import Picture

LevelName = Literal["coarsest", "coarse", "chosen", "fine"]
CHOSEN = "chosen"


def at_level(run: Path, pictures: Sequence[Picture], choices: Choices, level: str) -> tuple[list[Picture], Choices]:
    """Return the pictures with the groups of a level, and the choices that apply to them.

    Names and merges belong to the level that they were saved at. At another one only marked pictures stay marked.

    Args:
        run: run folder.
        pictures: of the run, with their clusters.
        choices: from the gallery.
        level: `coarsest`, `coarse`, `chosen` or `fine`; empty takes the level of the choices.

    Returns:
        Pictures whose `cluster` and `group` are those of the level, and choices.

    Raises:
        UserError: the run has no such level.
    """
    from deepcluster_pl.evaluation.levels import load_levels

    level = level or choices.level
    if level != choices.level:
        choices = Choices(marked_pictures=choices.marked_pictures, level=level)
    if level == CHOSEN:
        return list(pictures), choices
    file = run / "levels.json"
    levels = load_levels(file)
    kinds = [one.kind for one in levels.offered]
    if level not in kinds:
        raise UserError(f"level={level}: this run has {', '.join(kinds)}; type one of them")
    cells = [cell for part in levels.cells.values() for cell in part.tolist()]
    owner, clusters = levels.cluster_of_cell.tolist(), [picture.cluster for picture in pictures]
    if [owner[cell] if cell >= 0 else -1 for cell in cells] != clusters:
        raise UserError(f"{file} belongs to other groups than assignments.csv; run the command that made the folder")
    if level == "fine":
        return [_part(picture, cell, owner) for picture, cell in zip(pictures, cells, strict=True)], choices
    if choices.group_of:  # saved at this level, so they say which clusters are one group
        return list(pictures), choices
    group_of_cell = next(one for one in levels.offered if one.kind == level).group_of_cell
    group_of_cluster = dict(zip(owner, group_of_cell.tolist(), strict=True))
    members: dict[int, list[int]] = {}
    for cluster, _ in Counter(cluster for cluster in clusters if cluster >= 0).most_common():
        members.setdefault(group_of_cluster[cluster], []).append(cluster)
    called = {picture.cluster: picture.group for picture in pictures}
    names = {group: _joined_name(some, called) for group, some in members.items()}
    moved = []
    for picture in pictures:
        group = group_of_cluster.get(picture.cluster)
        moved.append(picture if group is None else _moved(picture, members[group][0], names[group]))
    return moved, choices


def _moved(picture: Picture, cluster: int, group: str) -> Picture:
    """Return a picture in another group."""
    return picture._replace(cluster=cluster, group=group)


def _part(picture: Picture, cell: int, owner: list[int]) -> Picture:
    """Return a picture in the part of its cluster."""
    if cell < 0:
        return picture
    name, own = picture.group or f"group {picture.cluster}", owner[cell]
    number = owner[:cell].count(own) + 1
    return _moved(picture, cell, f"{name} part {number}" if owner.count(own) > 1 else name)


def _joined_name(clusters: list[int], called: dict[int, str]) -> str:
    """Return the name of joined clusters: their names, or their numbers.

    >>> _joined_name([2, 0], {2: "cats", 0: "dogs"}), _joined_name([2, 0], {}), _joined_name([2], {})
    ('cats and dogs', 'groups 0, 2', 'group 2')
    """
    names = list(dict.fromkeys(filter(None, (called.get(cluster, "") for cluster in clusters))))
    if names:
        return " and ".join(names[:3])
    return f"group{'s' if len(clusters) > 1 else ''} {', '.join(map(str, sorted(clusters)))}"
