"""A finished run's model for programs that do not have this package.

    python -m deepcluster_pl export run=<folder> format=torch_export
    python -m deepcluster_pl export run=<folder> format=onnx to=model.onnx        pip install 'deepcluster_pl[export]'
    python -m deepcluster_pl export run=<folder> format=safetensors to=<folder>

`torch_export` is read by `torch.export.load`, `onnx` by ONNX Runtime and many others. Both take raw samples
(N, ...) as they were in the data, N being free, and give embeddings (N, D) and shares (N, K); scaling is inside.
`safetensors` copies the weights and the JSON that says how they belong together. The file goes to `to=`, or into the
run's export/ folder; what exists is never written over.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from deepcluster_pl.cli.new_samples import run_folder, split_own
from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.serialization import load_model, read_description
from deepcluster_pl.runs.failures import friendly_errors
from deepcluster_pl.utils.atomic_files import atomic_copy
from deepcluster_pl.utils.warnings_filter import silence_libraries

_OWN = {"run": "", "format": "torch_export", "to": ""}


class WholeModel(nn.Module):
    """Raw samples (N, *input_shape) to embeddings (N, D) and shares (N, K), all in one graph."""

    def __init__(self, module: ClusteringModule) -> None:
        super().__init__()
        self.net = module.net
        self._assign = module.assign
        self.method = module  # so that its buffers belong to the graph

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Prepare, embed, assign."""
        z = self.net.encode(self.net.prepare(samples))
        return z, self._assign(z)


def main() -> int:
    """Export, and say where to; exit code 1 with one line where something is unusable."""
    arguments = sys.argv[1:]
    if not arguments or "-h" in arguments or "--help" in arguments:
        print((__doc__ or "").strip())
        return 0
    try:
        own, left = split_own(arguments, _OWN)
        if left:
            raise UserError(f"{left[0]}: an export has no data; expected run=, format=, to=")
        if own["format"] not in FORMATS:
            raise UserError(f"format={own['format']}: expected {', '.join(FORMATS)}")
        folder = run_folder(own["run"])
        suffix, write = FORMATS[own["format"]]
        target = Path(own["to"]).expanduser() if own["to"] else folder / "export" / f"model{suffix}"
        if target.exists():
            raise UserError(f"to={target} exists, and is not written over; type to=<a new one>")
        silence_libraries()
        with friendly_errors(folder):
            write(folder / "model", target)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(target)
    return 0


def to_torch(model: Path, target: Path) -> None:
    """A `torch.export` program (.pt2)."""
    whole, example, sizes = _traceable(model)
    program = _traced(lambda: torch.export.export(whole, (example,), dynamic_shapes=sizes), whole)
    _put(lambda file: torch.export.save(program, file), target)


def to_onnx(model: Path, target: Path) -> None:
    """An ONNX graph, its input `samples`, its outputs `embeddings` and `shares`."""
    try:
        import onnxscript  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError as error:
        raise UserError("format=onnx needs onnx and onnxscript; type: pip install 'deepcluster_pl[export]'") from error
    whole, example, sizes = _traceable(model)

    def trace() -> Any:
        return torch.onnx.export(
            whole, (example,), dynamo=True, dynamic_shapes=sizes, verbose=False,
            input_names=["samples"], output_names=["embeddings", "shares"],
        )  # fmt: skip

    program = _traced(trace, whole)
    _put(lambda file: program.save(file, external_data=False), target)


def to_safetensors(model: Path, target: Path) -> None:
    """The two files of the model, in a folder."""
    for name in ("model.safetensors", "model.json"):
        atomic_copy(model / name, target / name)


FORMATS: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "torch_export": (".pt2", to_torch),
    "onnx": (".onnx", to_onnx),
    "safetensors": ("", to_safetensors),
}


def _traceable(model: Path) -> tuple[WholeModel, Tensor, dict[str, Any]]:
    module = load_model(model)
    dtype = torch.uint8 if read_description(model)["samples"].get("dtype") == "uint8" else torch.float32
    example = torch.zeros(2, *module.net.input_shape, dtype=dtype)
    return WholeModel(module).eval(), example, {"samples": {0: torch.export.Dim("n", min=1)}}


def _traced(trace: Callable[[], Any], whole: WholeModel) -> Any:
    """The graph; what PyTorch cannot follow is said in a line."""
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return trace()
    except Exception as error:  # torch.export has many kinds, and they differ between versions
        lines = (str(error) or type(error).__name__).splitlines()
        raise UserError(
            f"method={whole.method.name} cannot be exported as a graph ({lines[0][:200]}); type format=safetensors"
        ) from error


def _put(write: Callable[[str], Any], target: Path) -> None:
    """Let a library write a file, and put it in place whole."""
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / target.name
        write(str(made))
        atomic_copy(made, target)


if __name__ == "__main__":
    sys.exit(main())
