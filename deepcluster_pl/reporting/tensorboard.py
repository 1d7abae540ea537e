"""What TensorBoard shows of a finished run beside its curves: the figures, and the code to wander about in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from PIL import Image
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from deepcluster_pl.data.datamodule import ClusteringData
from deepcluster_pl.data.samples import Part
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.reporting.figures.centers import center_pictures, decoded_centers
from deepcluster_pl.utils.image_layout import as_picture, is_image
from deepcluster_pl.utils.random import sample_rows

_POINTS, _SPRITE = 2000, 32


def save_tensorboard(folder: Path, data: ClusteringData, fitted: Prediction, seed: int) -> None:
    """Write <folder>/result for TensorBoard: every picture of figures/, and the projector's files.

    The projector gets at most 2,000 fitted samples, their embeddings, ids, clusters, shares and labels, and their
    pictures of at most 32 pixels a side where samples are images.
    """
    rows = sample_rows(len(fitted.z), _POINTS, seed)
    part = data.part("fit")
    names = ["id", "cluster", "share", *(["label"] if part.labels is not None else [])]
    facts = [_facts(part, fitted, int(row)) for row in rows]
    shutil.rmtree(folder / "result", ignore_errors=True)  # of a run that was stopped just here
    with SummaryWriter(str(folder / "result")) as writer:
        for file in sorted((folder / "figures").glob("*.png")):
            writer.add_image(file.stem, np.asarray(Image.open(file).convert("RGB")), dataformats="HWC")
        sprites = _sprites(part, rows) if is_image(data.input_shape) else None
        writer.add_embedding(_plane(fitted.z[rows]), facts, sprites, tag="code", metadata_header=names)


def _facts(part: Part, fitted: Prediction, row: int) -> list[str]:
    """One line of the projector's table; what would end a field or a line becomes a space, no text is spelt."""
    found = [str(part.ids[row]), str(int(fitted.clusters[row])), f"{float(fitted.confidence[row]):.3f}"]
    if part.labels is not None:
        found.append(str(part.labels[row]))
    return [" ".join(text.split()).encode("utf-8", "backslashreplace").decode() for text in found]


def _plane(z: Tensor) -> Tensor:
    """Embeddings with at least the two dimensions that the projector asks for."""
    return z if z.shape[1] > 1 else torch.nn.functional.pad(z, (0, 2 - z.shape[1]))


def _sprites(part: Part, rows: NDArray[np.int64]) -> Tensor:
    """Square pictures (n, 3, S, S), S <= 32, values 0 … 1."""
    made = []
    for row in rows:
        picture = as_picture(part.take(np.array([row]))[0])
        if picture.dtype != np.uint8:
            picture = (np.clip(np.nan_to_num(picture), 0, 1) * 255).round().astype(np.uint8)
        image = Image.fromarray(picture).convert("RGB")
        side = min(_SPRITE, max(image.size))
        made.append(np.asarray(image.resize((side, side))))
    return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2) / 255


def _show_centers(logger: TensorBoardLogger, trainer: pl.Trainer, module: Any, step: int) -> None:
    """What the centers decode to by now, where samples are images and the decoder is trained with them."""
    if is_image(trainer.datamodule.input_shape):  # type: ignore[attr-defined]
        centers = decoded_centers(module)
        if centers is not None:
            logger.experiment.add_figure("clusters/centers", center_pictures(centers), step)
