"""CenterImages: decoded centers at every refresh, for TensorBoard alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from deepcluster_pl.nets.identity import Identity
from deepcluster_pl.reporting import CenterImages


class Method:
    """A method whose centers are samples and whose decoder is trained."""

    has_centers = True

    def __init__(self, shape):
        self.net = Identity(shape)
        dim = self.net.latent_dim
        self.net.decoder = torch.nn.Sequential(torch.nn.Linear(dim, dim), torch.nn.Unflatten(1, shape))
        self.centers = torch.rand(3, dim)


def refresh(module, loggers, is_global_zero=True, steps=(0,)):
    trainer = SimpleNamespace(loggers=loggers, is_global_zero=is_global_zero)
    for step in steps:
        CenterImages().on_refresh(trainer, module, SimpleNamespace(step=step))


def images(folder):
    events = EventAccumulator(str(folder), size_guidance={"images": 0})
    events.Reload()
    return {tag: [event.step for event in events.Images(tag)] for tag in events.Tags()["images"]}


@pytest.fixture
def logger(tmp_path):
    return TensorBoardLogger(save_dir=str(tmp_path), name="fit", version="")


def test_every_refresh_gets_a_picture_at_its_step(logger, tmp_path):
    refresh(Method((4, 4)), [logger], steps=(0, 7))
    logger.finalize("success")
    assert images(tmp_path / "fit") == {"clusters/centers": [0, 7]}


@pytest.mark.parametrize("change", ["table", "frozen decoder", "no centers", "another process"])
def test_no_picture_is_drawn(logger, tmp_path, change):
    module = Method((16,) if change == "table" else (4, 4))
    module.has_centers = change != "no centers"
    if change == "frozen decoder":
        module.net.decoder.requires_grad_(False)
    refresh(module, [logger], is_global_zero=change != "another process")
    logger.experiment.add_scalar("written", 1.0)
    logger.finalize("success")
    assert images(tmp_path / "fit") == {}


def test_without_tensorboard_nothing_is_decoded(logger):
    module = Method((4, 4))
    module.net.decode = None
    refresh(module, [SimpleNamespace()])
    with pytest.raises(TypeError, match="NoneType"):  # with it, the net is asked
        refresh(module, [logger])
