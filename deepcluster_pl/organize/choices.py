"""What a person chose in gallery.html: names of groups, groups that are one, what can go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepcluster_pl.errors import UserError

SCHEMA = 1


@dataclass(frozen=True)
class Choices:
    """Choices of one partition.

    Attributes:
        group: which cluster speaks for each cluster; its own number where nothing was merged.
        names: of the clusters that speak for others or for themselves.
        can_go: clusters of which all can go.
        pictures: ids that can go one by one.
    """

    group: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    can_go: frozenset[int] = frozenset()
    pictures: frozenset[str] = frozenset()

    def name(self, cluster: int) -> str:
        """What the group of a cluster is called."""
        group = self.group.get(cluster, cluster)
        return self.names.get(group) or f"group {group}"

    def may_go(self, cluster: int, name: str) -> bool:
        """Whether a picture of a cluster was marked, or its group."""
        return self.group.get(cluster, cluster) in self.can_go or name in self.pictures


def read_choices(path: Path, partition: str) -> Choices:
    """Read what the gallery saved; `UserError` where it is no such file, or of another run.

    Args:
        path: the file.
        partition: digest of the run's own partition.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        schema, owner, choices = found["schema"], found["partition"], _choices(found)
    except OSError as error:
        raise UserError(f"gallery={path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        text = f"{path} holds no choices of a gallery: expected the file that its Save writes"
        raise UserError(text) from error
    if schema != SCHEMA:
        raise UserError(f"{path}: found schema {schema!r}, expected {SCHEMA}; save it from the gallery again")
    if owner != partition:
        raise UserError(f"{path} was saved in the gallery of another run; type run=<that run's folder>")
    return choices


def _choices(found: Any) -> Choices:
    group: dict[int, int] = {}
    names: dict[int, str] = {}
    can_go: set[int] = set()
    for one in found["groups"]:
        clusters = [int(k) for k in one["clusters"]]
        group |= dict.fromkeys(clusters, clusters[0])
        if name := str(one["name"]).strip():
            names[clusters[0]] = name
        if one["can_go"] is True:
            can_go.add(clusters[0])
    return Choices(group, names, frozenset(can_go), frozenset(str(name) for name in found["can_go"]))
