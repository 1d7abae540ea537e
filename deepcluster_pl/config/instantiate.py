"""Make the objects that a config describes."""

from __future__ import annotations

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from deepcluster_pl.errors import UserError


def instantiate_node(node: Any, **supplied: Any) -> Any:
    """The object that a node of the config describes; what its constructor tells the user is told as it is."""
    try:
        return instantiate(node, **supplied)
    except InstantiationException as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, UserError):
            cause = cause.__cause__
        raise cause or error from None


def some(nodes: dict[str, Any] | None) -> list[Any]:
    """What a group of instantiated nodes holds; a node set to null is switched off."""
    return [node for node in (nodes or {}).values() if node is not None]
