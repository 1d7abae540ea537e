"""Targets that earlier versions wrote into configs and model.json, and their names of today."""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.utils.renames import current_target


def rename_targets(cfg: DictConfig) -> None:
    """Replace every `_target_` of an earlier version in a config, in place; interpolations are not followed."""
    for key in list(cfg) if not (cfg._is_none() or cfg._is_missing()) else []:
        node = cfg._get_node(key)
        if key == "_target_":
            cfg[key] = current_target(str(cfg[key]))
        elif OmegaConf.is_dict(node) and not node._is_interpolation():  # type: ignore[union-attr]
            rename_targets(node)  # type: ignore[arg-type]
