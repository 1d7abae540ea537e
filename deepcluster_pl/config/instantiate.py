"""Make the objects that a config describes."""

from __future__ import annotations

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from deepcluster_pl.errors import UserError


def instantiate_node(node: Any, **supplied: Any) -> Any:
    """Make the object of a node.

    Args:
        node: with `_target_` and arguments.
        supplied: further arguments.

    Returns:
        The object, or None for a node that is null.

    Raises:
        UserError: as the constructor raised it, without Hydra's frame around it.
    """
    try:
        return instantiate(node, **supplied)
    except InstantiationException as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, UserError):
            cause = cause.__cause__
        raise cause or error from None


def instantiate_all(group: Any) -> list[Any]:
    """Make the objects of a group of nodes, without those that are null, which are switched off."""
    return [made for made in (instantiate_node(group) or {}).values() if made is not None]
