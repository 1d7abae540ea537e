"""Export a saved model as one graph, or as its files, for programs that do not have this package.

A graph takes raw samples (N, *input_shape) as they were in the data, N being free. It returns embeddings (N, D) and
probabilities (N, K); scaling is inside. Of a table with categories, dates or gaps it takes a row of raw numbers, in
float64: `describe_inputs` says how a cell becomes one, and is written beside the graph.
"""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from deepcluster_pl.data.tables.raw_columns import RawColumns, describe_inputs
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.serialization import load_model, load_preparation, read_description
from deepcluster_pl.utils.atomic_files import atomic_copy, atomic_write


class WholeModel(nn.Module):
    """Net and method as one module: raw samples (N, *input_shape) to embeddings (N, D) and probabilities (N, K).

    Args:
        module: the trained method.
        columns: makes raw numbers of a table's columns into samples; None where samples are what the net takes.
    """

    def __init__(self, module: ClusteringModule, columns: RawColumns | None = None) -> None:
        super().__init__()
        self.columns = columns
        self.net = module.net
        self._assign = module.assign
        self.method = module  # makes its buffers part of the graph

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Return embeddings and probabilities of raw samples."""
        samples = samples if self.columns is None else self.columns(samples)
        z = self.net.encode(self.net.prepare(samples))
        return z, self._assign(z)


def to_torch(model: Path, target: Path) -> None:
    """Write a `torch.export` program (.pt2).

    Args:
        model: folder of the saved model.
        target: file to write.

    Raises:
        UserError: PyTorch cannot trace the method.
    """
    whole, example, sizes = _traceable(model)
    program = _trace(lambda: torch.export.export(whole, (example,), dynamic_shapes=sizes), whole)
    _write_atomically(lambda file: torch.export.save(program, file), target)


def to_onnx(model: Path, target: Path) -> None:
    """Write an ONNX graph with the input `samples` and the outputs `embeddings` and `probabilities`.

    Args:
        model: folder of the saved model.
        target: file to write.

    Raises:
        UserError: onnx or onnxscript is missing, or PyTorch cannot trace the method.
    """
    try:
        import onnxscript  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError as error:
        raise UserError("format=onnx needs onnx and onnxscript; type: pip install 'deepcluster_pl[export]'") from error
    whole, example, sizes = _traceable(model)

    def export() -> Any:
        return torch.onnx.export(
            whole, (example,), dynamo=True, dynamic_shapes=sizes, verbose=False,
            input_names=["samples"], output_names=["embeddings", "probabilities"],
        )  # fmt: skip

    program = _trace(export, whole)
    _write_atomically(lambda file: program.save(file, external_data=False), target)


def to_safetensors(model: Path, target: Path) -> None:
    """Copy the two files of the model.

    Args:
        model: folder of the saved model.
        target: folder to write; it must not exist.

    Raises:
        UserError: there is such a folder by now, or the disk is full or fails.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", suffix=".part", dir=target.parent) as scratch:
        whole = Path(scratch) / target.name
        for name in ("model.safetensors", "model.json"):
            atomic_copy(model / name, whole / name)
        try:
            if os.name == "posix":  # where a rename would replace an empty folder, which therefore has to be this one
                target.mkdir()
            os.rename(whole, target)
        except FileExistsError as error:
            raise UserError(f"{target} exists by now, and is not overwritten; type another name") from error


FORMATS: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "torch_export": (".pt2", to_torch),
    "onnx": (".onnx", to_onnx),
    "safetensors": ("", to_safetensors),
}


def _traceable(model: Path) -> tuple[WholeModel, Tensor, dict[str, Any]]:
    """Return the module of a saved model, example samples, and the dimensions whose size is free."""
    module, preparation = load_model(model), load_preparation(model)
    sizes = {"samples": {0: torch.export.Dim("n", min=1)}}
    if preparation is not None and not preparation.is_plain:
        columns = RawColumns(preparation)
        return WholeModel(module, columns).eval(), torch.zeros(2, columns.n_inputs, dtype=torch.float64), sizes
    dtype = torch.uint8 if read_description(model)["samples"].get("dtype") == "uint8" else torch.float32
    example = torch.zeros(2, *module.net.input_shape, dtype=dtype)
    return WholeModel(module).eval(), example, sizes


def save_inputs(model: Path, graph: Path) -> Path | None:
    """Write beside a graph what its inputs are, where the model is one of a table that is no plain numbers.

    Args:
        model: folder of the saved model.
        graph: the exported file.

    Returns:
        The JSON file; None where samples are what they were in the data.
    """
    preparation = load_preparation(model)
    if preparation is None or preparation.is_plain:
        return None
    target = graph.with_name(f"{graph.name}.columns.json")
    with atomic_write(target) as file:
        json.dump({"input": "samples (N, I) in float64", "columns": describe_inputs(preparation)}, file, indent=1)
    return target


def _trace(export: Callable[[], Any], whole: WholeModel) -> Any:
    """Return the graph; raise `UserError` if PyTorch cannot trace the method."""
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return export()
    except Exception as error:  # the errors of torch.export differ between versions
        raise UserError(
            f"method={whole.method.name} cannot be exported as a graph ({first_line(error)[:200]}); "
            f"type format=safetensors"
        ) from error


def _write_atomically(write: Callable[[str], Any], target: Path) -> None:
    """Let a library write a file, and put it in place in one step."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / target.name
        write(str(file))
        atomic_copy(file, target, replaces=False)
