"""Weights of the object network that nobody trained, in a file like the published one, and a plain second network."""

from __future__ import annotations

import hashlib

import torch
import torch.nn.functional as F

from deepcluster_pl.data.images import objects

LAYERS = [  # kernel, stride, input, expansion, output of each layer, as the paper has them
    (3, 1, 32, 1, 16), (3, 2, 16, 6, 24), (3, 1, 24, 6, 24), (5, 2, 24, 6, 40), (5, 1, 40, 6, 40), (3, 2, 40, 6, 80),
    (3, 1, 80, 6, 80), (3, 1, 80, 6, 80), (5, 1, 80, 6, 112), (5, 1, 112, 6, 112), (5, 1, 112, 6, 112),
    (5, 2, 112, 6, 192), (5, 1, 192, 6, 192), (5, 1, 192, 6, 192), (5, 1, 192, 6, 192), (3, 1, 192, 6, 320),
]  # fmt: skip


def untrained_state():
    """Random tensors by the names of the published file."""
    generator = torch.Generator().manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def convolution(name, out, into, kernel):
        fan_in = into * kernel**2
        state[f"{name}.weight"] = torch.randn(out, into, kernel, kernel, generator=generator) * (2 / fan_in) ** 0.5

    def norm(name, width):
        state[f"{name}.weight"] = torch.rand(width, generator=generator) + 0.5
        state[f"{name}.bias"] = torch.randn(width, generator=generator) * 0.1
        state[f"{name}.running_mean"] = torch.randn(width, generator=generator) * 0.1
        state[f"{name}.running_var"] = torch.rand(width, generator=generator) + 0.5
        state[f"{name}.num_batches_tracked"] = torch.tensor(1)

    convolution("_conv_stem", 32, 3, 3)
    norm("_bn0", 32)
    for i, (kernel, _, into, expansion, out) in enumerate(LAYERS):
        wide = into * expansion
        if expansion > 1:
            convolution(f"_blocks.{i}._expand_conv", wide, into, 1)
            norm(f"_blocks.{i}._bn0", wide)
        convolution(f"_blocks.{i}._depthwise_conv", wide, 1, kernel)
        norm(f"_blocks.{i}._bn1", wide)
        convolution(f"_blocks.{i}._project_conv", out, wide, 1)
        norm(f"_blocks.{i}._bn2", out)
    convolution("_conv_head", 1280, 320, 1)
    norm("_bn1", 1280)
    state["_fc.weight"] = torch.randn(1000, 1280, generator=generator) * 0.05
    state["_fc.bias"] = torch.randn(1000, generator=generator) * 0.05
    return state


def install(monkeypatch, folder, state=None):
    """Put a file of weights in the place of the published one."""
    path = folder / "weights.pth"
    torch.save(untrained_state() if state is None else state, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(objects, "_find", lambda weights: path)
    monkeypatch.setattr(objects, "LITE0", objects.LITE0._replace(sha256=digest))
    return path


def same(x, weight, stride, groups=1):
    """Convolution whose padding keeps the size of TensorFlow: more of it right and below."""
    kernel = weight.shape[-1]
    pads = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[:1:-1]]
    return F.conv2d(F.pad(x, [part for pad in pads for part in (pad // 2, pad - pad // 2)]), weight, None, stride,
                    groups=groups)  # fmt: skip


def plain_network(state, x):
    """Pooled features and outputs of EfficientNet-Lite0, written out."""

    def norm(name, x):
        names = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(state[f"{name}.{part}"] for part in names), eps=1e-3)

    x = F.relu6(norm("_bn0", same(x, state["_conv_stem.weight"], 2)))
    for i, (_, stride, into, expansion, out) in enumerate(LAYERS):
        name, before = f"_blocks.{i}", x
        if expansion > 1:
            x = F.relu6(norm(f"{name}._bn0", same(x, state[f"{name}._expand_conv.weight"], 1)))
        x = same(x, state[f"{name}._depthwise_conv.weight"], stride, groups=x.shape[1])
        x = norm(f"{name}._bn2", same(F.relu6(norm(f"{name}._bn1", x)), state[f"{name}._project_conv.weight"], 1))
        x = x + before if stride == 1 and into == out else x
    x = F.relu6(norm("_bn1", same(x, state["_conv_head.weight"], 1))).mean(dim=(2, 3))
    return x, F.linear(x, state["_fc.weight"], state["_fc.bias"])
