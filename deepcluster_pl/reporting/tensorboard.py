"""Write what TensorBoard shows of a finished run beside its curves: the figures, and embeddings in its projector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.samples import Part
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.reporting.pixels import picture_bytes
from deepcluster_pl.utils.image_layout import is_image
from deepcluster_pl.utils.random import sample_rows

_TAG, _POINTS = "code", ("tensors.tsv", "metadata.tsv", "sprite.png")
"""The projector's name for the embeddings, and its files."""
_MOST_POINTS, _SPRITE_SIDE, _MOST_CHARACTERS = 2000, 32, 300


def save_tensorboard(folder: Path, data: ClusteringData, fitted: Prediction, seed: int) -> None:
    """Write <folder>/result: every picture of figures/, and the files of TensorBoard's projector.

    The projector gets embeddings, ids, clusters, probabilities and labels of at most 2,000 fitted samples. Where
    samples are images, it gets their pictures too, at most 32 pixels a side.

    Args:
        folder: run folder.
        data: source of ids, labels and pictures.
        fitted: prediction of the fitted part.
        seed: decides which samples are drawn, where there are more.
    """
    rows = sample_rows(len(fitted.z), _MOST_POINTS, seed)
    part = data.part("fit")
    columns = ["id", "cluster", "share", *(["label"] if part.labels is not None else [])]
    metadata = [_metadata_line(part, fitted, int(row)) for row in rows]
    _remove_earlier(folder / "result")
    with SummaryWriter(str(folder / "result")) as writer:
        for file in sorted((folder / "figures").glob("*.png")):
            writer.add_image(file.stem, np.asarray(Image.open(file, formats=["PNG"]).convert("RGB")), dataformats="HWC")
        sprites = _sprites(part, rows) if is_image(data.input_shape) else None
        writer.add_embedding(_two_dimensions(fitted.z[rows]), metadata, sprites, tag=_TAG, metadata_header=columns)


def _remove_earlier(folder: Path) -> None:
    """Remove the files that an interrupted run may have left, which are of TensorBoard's names; all others stay."""
    for pattern in ("events.out.tfevents.*", "projector_config.pbtxt", *(f"00000/{_TAG}/{name}" for name in _POINTS)):
        for path in folder.glob(pattern):
            path.unlink()


def _metadata_line(part: Part, fitted: Prediction, row: int) -> list[str]:
    """Return a sample's fields for the projector; no field holds a tab, a line end or half a character."""
    fields = [str(part.ids[row]), str(int(fitted.clusters[row])), f"{float(fitted.confidence[row]):.3f}"]
    if part.labels is not None:
        fields.append(str(part.labels[row]))
    return [" ".join(text[:_MOST_CHARACTERS].split()).encode("utf-8", "backslashreplace").decode() for text in fields]


def _two_dimensions(z: Tensor) -> Tensor:
    """Return embeddings (N, D) with a column of zeros where D is 1: the projector needs two."""
    return z if z.shape[1] > 1 else torch.nn.functional.pad(z, (0, 2 - z.shape[1]))


def _sprites(part: Part, rows: NDArray[np.int64]) -> Tensor:
    """Return square pictures (n, 3, S, S), S <= 32, with values from 0 to 1."""
    pictures = []
    for row in rows:
        image = Image.fromarray(picture_bytes(part.take(np.array([row]))[0])).convert("RGB")
        side = min(_SPRITE_SIDE, max(image.size))
        pictures.append(np.asarray(image.resize((side, side))))
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 255
