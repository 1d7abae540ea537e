"""Save a trained model as plain files, weights in safetensors and its structure in JSON, and load it again."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.data.tables.preparation import Preparation
from deepcluster_pl.errors import UserError, first_line, unreadable
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.json_files import read_json
from deepcluster_pl.utils.renames import current_target
from deepcluster_pl.utils.tensor_files import load_tensors, save_tensors

SCHEMA = 1
_SPARE_BYTES = 64 * 2**20
_TRUSTED = (
    "deepcluster_pl.methods.", "deepcluster_pl.nets.", "deepcluster_pl.data.augmentation.",
    "deepcluster_pl.data.images.", "torch.optim.",
)  # fmt: skip


def model_description(
    module: ClusteringModule,
    net: dict[str, Any],
    method: dict[str, Any],
    features: dict[str, Any] | None,
    samples: dict[str, Any],
) -> dict[str, Any]:
    """Return the content of model.json, which says how to build a model.

    Args:
        module: the trained method.
        net: `_target_` and arguments of its net, as in the config.
        method: `_target_` and arguments of the method.
        features: `_target_` and arguments of the features of pictures; None for samples that are no pictures.
        samples: metadata of raw samples: `dtype`, `float32` or `uint8`, `feature_names` or None, and `preparation`,
            which makes the columns of a table into samples, or None.

    Returns:
        Plain dictionaries, lists and values.
    """
    return {
        "schema": SCHEMA,
        "input_shape": list(module.net.input_shape),
        "samples": samples,
        "net": net,
        "method": method,
        "features": features,
    }


def save_model(module: ClusteringModule, description: dict[str, Any], folder: Path) -> None:
    """Write `model.safetensors` and `model.json`.

    Args:
        module: the trained method.
        description: see `model_description`.
        folder: folder to write, created if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(module.state_dict(), folder / "model.safetensors")
    with atomic_write(folder / "model.json") as file:
        json.dump(description, file, indent=2)


def load_model(folder: str | Path) -> ClusteringModule:
    """Load a saved model.

    Args:
        folder: a run's `model/` folder.

    Returns:
        The trained method on the CPU, in evaluation mode.

    Raises:
        UserError: the folder holds no model, or files that do not belong together.
    """
    folder = Path(folder)
    description = read_description(folder)
    tensors = load_tensors(folder / "model.safetensors")
    # Build the method, then its buffers in the shapes of the file, then read the weights
    try:
        _check_size(description, tensors)
        net = _build(description["net"], input_shape=tuple(description["input_shape"]))
        module = _build(description["method"], net=net)
        if not isinstance(module, ClusteringModule):
            raise TypeError(f"it describes {type(module).__name__}, expected a clustering method")
        module.initialize(Initialization(**{field.name: tensors.get(field.name) for field in fields(Initialization)}))  # type: ignore[arg-type]
        module.load_state_dict(tensors)
    except UserError:
        raise
    except Exception as error:  # a constructor may raise anything for arguments that were changed
        text = first_line(error)
        raise UserError(f"{folder} holds a model that does not fit together: {text}") from error
    return module.eval()


def load_features(folder: str | Path) -> Features:
    """Load the features by which the pictures of a model were described.

    Args:
        folder: a run's `model/` folder.

    Returns:
        The features.

    Raises:
        UserError: the folder holds no model, or a model of other samples.
    """
    folder = Path(folder)
    node = read_description(folder).get("features")
    if node is None:
        raise UserError(f"{folder} holds a model of samples that are not made of picture files")
    try:
        features = _build(node)
    except UserError:
        raise
    except Exception as error:
        text = first_line(error)
        raise UserError(f"{folder} describes features that cannot be made: {text}") from error
    if not isinstance(features, Features):
        raise UserError(f"{folder} describes {type(features).__name__}, expected features of pictures")
    return features


def load_preparation(folder: str | Path) -> Preparation | None:
    """Return what makes the columns of a table into samples of a model; None where samples are no tables.

    Raises:
        UserError: the folder holds no model, or its description of the columns is damaged.
    """
    samples = read_description(Path(folder)).get("samples") or {}
    if (node := samples.get("preparation")) is not None:
        return Preparation.from_json(node)
    names = samples.get("feature_names")
    return Preparation.of_numbers([str(name) for name in names]) if names else None


def read_description(folder: Path) -> dict[str, Any]:
    """Return the content of model.json: `net` and `method` as in the config, `input_shape`, `samples`, `features`."""
    try:
        description = read_json(folder / "model.json")
    except (OSError, ValueError) as error:
        raise unreadable(folder / "model.json", error, "is no readable model") from error
    if not isinstance(description, dict) or description.get("schema") != SCHEMA:
        raise UserError(f"{folder}/model.json is of another version, expected schema {SCHEMA}")
    return description


def _check_size(description: dict[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Raise `ValueError` for a model that would take much more memory than its tensors; it is built without memory."""
    with torch.device("meta"):
        net = _build(description["net"], input_shape=tuple(description["input_shape"]))
        module = _build(description["method"], net=net)
    described = sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())
    stored = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if described > 2 * stored + _SPARE_BYTES:
        raise ValueError(f"model.json describes {described:,} bytes of weights, found {stored:,}")


def _build(node: Any, **supplied: Any) -> Any:
    """Build the object of a node, its arguments first; raise `UserError` for a target that no model is made of."""
    if isinstance(node, list):
        return [_build(item) for item in node]
    if not isinstance(node, dict):
        return node
    arguments = {key: _build(value) for key, value in node.items() if not key.startswith("_")} | supplied
    if "_target_" not in node:
        return arguments
    target = current_target(str(node["_target_"]))
    if not target.startswith(_TRUSTED):
        raise UserError(f"model.json asks for {target}, which is not part of deepcluster_pl; it was not loaded")
    module_name, _, name = target.rpartition(".")
    factory = getattr(importlib.import_module(module_name), name)
    if not (inspect.isclass(factory) and issubclass(factory, (nn.Module, Optimizer, Affine, Features))):
        raise UserError(f"model.json asks for {target}, which no model is made of; it was not loaded")
    return functools.partial(factory, **arguments) if node.get("_partial_") else factory(**arguments)
