"""Read what a person chose in gallery.html: names of groups, merged groups, and what can go."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.json_files import read_json

SCHEMA = 1


@dataclass(frozen=True)
class Choices:
    """Choices that belong to one partition.

    Attributes:
        group_of: the group of each cluster that the file names; of merged clusters, the first gives its number.
        names: name of each group that was given one.
        marked_groups: groups whose pictures can all go.
        marked_pictures: ids of single pictures that can go.
        level: of the groups; at `fine`, clusters are the cells of levels.json.
    """

    group_of: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    marked_groups: frozenset[int] = frozenset()
    marked_pictures: frozenset[str] = frozenset()
    level: str = "chosen"

    def group_name(self, cluster: int, suggested: str = "") -> str:
        """Return the name of a cluster's group, or `group <number>` where it has none; `in no group` for -1.

        Args:
            cluster: from 0, or -1.
            suggested: name that the run gave the cluster; choices that include the cluster replace it.
        """
        if cluster not in self.group_of:
            return suggested or _plain_name(cluster)
        group = self.group_of[cluster]
        return self.names.get(group) or _plain_name(group)

    def can_go(self, cluster: int, picture_id: str) -> bool:
        """Return whether a picture was marked "can go", by itself or with its group.

        Args:
            cluster: the picture's own, before groups were merged.
            picture_id: its path below the library's root.
        """
        return self.group_of.get(cluster, cluster) in self.marked_groups or picture_id in self.marked_pictures


def _plain_name(group: int) -> str:
    """Return the name of a group that has no other."""
    return f"group {group}" if group >= 0 else "in no group"


def read_choices(path: Path, partition: str) -> Choices:
    """Return the choices that a gallery saved.

    Args:
        path: the file that the gallery's Save button wrote.
        partition: digest of the run's own partition, see `partition_digest`.

    Raises:
        UserError: the file cannot be read, is of another kind, or belongs to the gallery of another run.
    """
    try:
        content = read_json(path, 2**26)
        schema, owner, choices = content["schema"], content["partition"], _choices_from(content)
    except OSError as error:
        raise UserError(f"gallery={path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        text = f"{path} holds no gallery choices; expected a file written by the gallery's Save button"
        raise UserError(text) from error
    if schema != SCHEMA:
        raise UserError(f"{path}: found schema {schema!r}, expected {SCHEMA}; save it from the gallery again")
    if owner != partition:
        raise UserError(f"{path} was saved in the gallery of another run; type run=<folder of that run>")
    return choices


def _choices_from(content: Any) -> Choices:
    """Return the choices in a file's JSON; anything of another shape raises."""
    group_of: dict[int, int] = {}
    names: dict[int, str] = {}
    marked_groups: set[int] = set()
    for group in content["groups"]:
        clusters = [int(k) for k in group["clusters"]]
        # The first of merged clusters stands for the group
        group_of |= dict.fromkeys(clusters, clusters[0])
        if name := str(group["name"]).strip():
            names[clusters[0]] = name
        if group["can_go"] is True:
            marked_groups.add(clusters[0])
    marked_pictures = frozenset(str(picture_id) for picture_id in content["can_go"])
    level = str(content.get("level", "chosen"))  # older galleries have one level
    return Choices(group_of, names, frozenset(marked_groups), marked_pictures, level)
