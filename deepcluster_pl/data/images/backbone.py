"""Embeddings of pictures by a pretrained backbone, which is never trained further."""

from __future__ import annotations

import hashlib
import zipfile
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors import RGB, SMALLEST_SIDE
from deepcluster_pl.data.images.descriptors.planes import stretch_to_square
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.utils.ranges import Count

_HEADS = ("fc", "classifier", "heads", "head")
"""Names that torchvision gives to classifiers."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colors of ImageNet."""
_ROWS_AT_ONCE = 64


class Pretrained(Features):
    """Embeddings (F,) of float32: a backbone of torchvision or timm without its classifier.

    Nothing is fetched unless `weights=default` asks for it. Reading a file, by PyTorch or safetensors, runs no code
    from it. Colors are scaled as those of ImageNet, or as timm prescribes for the backbone.

    Args:
        library: source of the backbone; timm is the extra `encoders`.
        backbone: its name there, such as resnet50 or vit_b_16.
        weights: a file with its state dict, or `default` to fetch the library's own; null is refused.
        size: pixels along the side of the square that pictures are stretched to.
        accelerator: cpu, or another name that Lightning's Trainer takes; those use the machine's accelerator if any.
    """

    def __init__(
        self,
        library: Literal["torchvision", "timm"],
        backbone: str,
        weights: str | None,
        size: Count,
        accelerator: str,
    ) -> None:
        if size < SMALLEST_SIDE:
            raise UserError(f"data.features.size={size} is too small, expected at least {SMALLEST_SIDE}")
        self.library = library
        self.backbone = backbone
        self.weights = weights
        self.side = size
        self.accelerator = accelerator
        self.dtype = np.dtype(np.float32)

    @cached_property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Return the length of the embedding, found by embedding a gray square."""
        return tuple(self.to_samples(np.full((1, self.side, self.side, 3), 128, dtype=np.uint8)).shape[1:])

    def check(self) -> None:
        """Raise `UserError` where the backbone cannot be made, or refuses pictures of this size."""
        _ = self._net
        try:
            _ = self.shape
        except Exception as error:  # each architecture has a way of its own to refuse a size
            raise UserError(
                f"data.features.size={self.side} does not fit {self.backbone}: {first_line(error)}"
            ) from error

    def extract(self, rgb: RGB) -> NDArray[np.uint8]:
        """Return the picture as a square (size, size, 3) of bytes; the backbone sees many of them at once."""
        return stretch_to_square(rgb, self.side)

    def to_samples(self, extracted: NDArray[Any]) -> NDArray[np.float32]:
        """Return the embeddings (B, F) of squares (B, size, size, 3) of bytes."""
        import torch

        net, mean, deviation = self._net
        device = next(net.parameters()).device
        embeddings = []
        with torch.inference_mode():
            for start in range(0, len(extracted), _ROWS_AT_ONCE):
                x = torch.from_numpy(extracted[start : start + _ROWS_AT_ONCE]).to(device).movedim(-1, 1).float() / 255
                embeddings.append(net((x - mean.to(x)) / deviation.to(x)).flatten(1).float().cpu())
        return torch.cat(embeddings).numpy()

    def recipe(self) -> dict[str, Any]:
        """Return the backbone, the size, and a hash of the weights' file."""
        weights = self.weights
        if weights not in (None, "default"):
            weights = hashlib.sha256(self._file.read_bytes()).hexdigest()
        return {"features": f"{self.library}/{self.backbone}", "weights": weights, "size": self.side}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the backbone: processes that decode do not need it."""
        return {name: value for name, value in vars(self).items() if name != "_net"}

    @property
    def _file(self) -> Path:
        """The file of the weights; raise `UserError` where there is none."""
        file = Path(str(self.weights)).expanduser()
        if not file.is_file():
            raise UserError(
                f"data.features.weights={self.weights}: no such file, expected a state dict of {self.backbone}"
            )
        return file

    @cached_property
    def _net(self) -> Any:
        """The backbone in evaluation mode, and mean and deviation (3, 1, 1) of the colors it was trained on."""
        import torch

        if self.weights is None:
            raise UserError(
                f"a pretrained {self.backbone} needs weights; type data.features.weights=<file of its state dict>, or "
                f"data.features.weights=default to fetch {self.library}'s own"
            )
        make = _make_timm if self.library == "timm" else _make_torchvision
        net, mean, deviation = make(self.backbone, self.weights == "default")
        if self.weights != "default":
            try:
                # The file may hold a classifier, which the backbone no longer has; all else must fit.
                state = _load_state(self._file)
                expected = net.state_dict()
                net.load_state_dict({name: value for name, value in state.items() if name in expected})
            except UserError:
                raise
            except Exception as error:  # whatever a damaged or foreign file makes the reader raise
                text = " ".join(line.strip() for line in str(error).splitlines()[:2])[:200]
                raise UserError(f"data.features.weights={self.weights} do not fit {self.backbone}: {text}") from error
        device = torch.accelerator.current_accelerator(check_available=True) if self.accelerator != "cpu" else None
        net = net.eval().requires_grad_(False)
        net = net if device is None else net.to(device)
        return net, torch.tensor(mean).view(3, 1, 1), torch.tensor(deviation).view(3, 1, 1)


def _load_state(file: Path) -> dict[str, Any]:
    """Return the state dict in a file, read without running code from it; a checkpoint may hold it one level down."""
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file  # imports torch, which processes that decode do not need

        from deepcluster_pl.utils.tensor_files import check_header

        check_header(file)
        return load_file(file)
    import torch

    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            inflated = sum(member.file_size for member in archive.infolist())
        if inflated > file.stat().st_size:
            raise ValueError(f"it would inflate to {inflated:,} bytes, and PyTorch compresses nothing")

    state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    inner = next((state[name] for name in ("state_dict", "model") if isinstance(state.get(name), dict)), None)
    return state if inner is None else inner


def _make_torchvision(backbone: str, fetched: bool) -> tuple[Any, Any, Any]:
    """Return a backbone of torchvision without its classifier, and mean and deviation of its colors."""
    import torchvision
    from torch import nn

    try:
        net = torchvision.models.get_model(backbone, weights=None)
        if fetched:
            weights = torchvision.models.get_model_weights(backbone).DEFAULT
            net.load_state_dict(weights.get_state_dict(progress=False, check_hash=True, weights_only=True))
    except ValueError as error:
        raise UserError(f"data.features.backbone={backbone}: {first_line(error)}") from error
    except OSError as error:
        raise UserError(
            f"weights of {backbone} could not be fetched: {error}; type data.features.weights=<file>"
        ) from error
    for name in _HEADS:
        if hasattr(net, name):
            setattr(net, name, nn.Identity())
            return net, _MEAN, _DEVIATION
    raise UserError(f"data.features.backbone={backbone} ends in no classifier that can be left out; choose resnet50")


def _make_timm(backbone: str, fetched: bool) -> tuple[Any, Any, Any]:
    """Return a backbone of timm without its classifier, and mean and deviation of its colors."""
    try:
        import timm
    except ImportError as error:
        raise UserError(
            "data.features.library=timm needs timm; type: pip install 'deepcluster_pl[encoders]'"
        ) from error
    try:
        net: Any = timm.create_model(backbone, pretrained=fetched, num_classes=0)
    except Exception as error:  # an unknown name, or no network, each in its own way
        raise UserError(f"data.features.backbone={backbone}: {first_line(error)}") from error
    return net, net.pretrained_cfg.get("mean", _MEAN), net.pretrained_cfg.get("std", _DEVIATION)
