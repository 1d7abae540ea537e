"""Choose what an installed extra makes better, wherever nothing else was typed."""

from __future__ import annotations

from collections.abc import Sequence


def objects_installed() -> bool:
    """Return whether the extra `photos` is there; only then are the modules of pictures imported, which takes time."""
    from deepcluster_pl.data.images.objects import objects_installed as installed

    return installed()


def overrides_of_extras(typed: Sequence[str]) -> list[str]:
    """Return the overrides that installed extras add to typed ones.

    With the extra `photos`, `experiment=photos` looks at objects too. Distorted copies are left out then, because the
    network takes most of the time that a picture needs, and nothing is trained on copies.

    Args:
        typed: groups and keys with their values, such as `experiment=photos`.

    Returns:
        Overrides to put before the typed ones.
    """
    keys = {text.partition("=")[0] for text in typed}
    if "experiment=photos" not in typed or "data" in keys or not objects_installed():
        return []
    return ["data=photos", *([] if "data.copies" in keys else ["data.copies=0"])]
