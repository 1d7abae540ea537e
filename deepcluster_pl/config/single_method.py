"""Name the settings that belong to a single method, which method=auto, as it tries several, cannot take."""

from __future__ import annotations

_OF_ONE_METHOD = ("net", "pretrain", "start", "augment", "callbacks", "fit", "student", "whiten", "ckpt_path", "method")
"""First parts of such keys, those of groups included; `method` itself chooses."""


def refused_beside_auto(key: str, value: str) -> str:
    """Return why a setting cannot be typed beside method=auto; an empty string where it can.

    Args:
        key: as typed, such as `fit.max_steps`, or `optimizer@fit.optimizer`.
        value: as typed.

    >>> refused_beside_auto("seed", "1"), refused_beside_auto("fit.max_steps", "9").partition(";")[2]
    ('', ' type method=dec with it, or leave it out')
    """
    first = key.partition("@")[2] or key
    if key == "method" or value == "null" or first.partition(".")[0] not in _OF_ONE_METHOD:
        return ""
    return f"{key} is a setting of one method, and method=auto tries several; type method=dec with it, or leave it out"
