"""Small modules of every kind, and a stage that trains one in blocks of any size."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.data.sources.synthetic import Blobs
from deepcluster_pl.data.split import Subset
from deepcluster_pl.methods.dcn import DCN
from deepcluster_pl.methods.dec import DEC
from deepcluster_pl.methods.dkm import DKM
from deepcluster_pl.methods.idec import IDEC
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.methods.scan import SCAN
from deepcluster_pl.methods.student import Student
from deepcluster_pl.methods.vade import VaDE
from deepcluster_pl.nets.mlp import MLPAutoencoder
from deepcluster_pl.training import AtomicCheckpointIO, CheckpointMetadata
from deepcluster_pl.training.blocks import Blocks
from deepcluster_pl.training.callbacks import CosineAnnealing, TargetRefresh
from deepcluster_pl.training.graphed_step import one_stream, round_rates
from deepcluster_pl.training.pretraining import LayerwiseDenoising, Reconstruction
from deepcluster_pl.training.step_engine import EagerStep
from deepcluster_pl.utils.csv_logger import MetricsCSV, read_curves

N, K, BATCH = 106, 3, 10  # 11 steps an epoch, the last with 6 samples
SGD = functools.partial(torch.optim.SGD, lr=0.05, momentum=0.9, fused=True)
ADAM = functools.partial(torch.optim.Adam, lr=2e-3, fused=True)
MODULES = {
    "reconstruction": lambda net: Reconstruction(net, ADAM, None),
    "layerwise": lambda net: LayerwiseDenoising(net, ADAM, None, 4, 0.2, 3, 0),
    "dec": lambda net: DEC(net, "dec", K, 1.0, SGD, None),
    "idec": lambda net: IDEC(net, "idec", K, 1.0, 0.1, ADAM, None),
    "dcn": lambda net: DCN(net, "dcn", K, 0.5, 10, ADAM, None),
    "dkm": lambda net: DKM(net, "dkm", K, 0.5, 0.1, 40, 4, ADAM, None),
    "vade": lambda net: VaDE(net, "vade", K, 0.5, 0.1, ADAM, None, 0),
    "scan": lambda net: SCAN(net, "scan", K, 5, 3, 2.0, 120, 0.5, ADAM, None, 0),
    "student": lambda net: Student(net, "student", K, 0.1, 1.0, 0.3, 0.2, ADAM, None, 0),
}


class Recorder(pl.Callback):
    """Records the step, place and loss after every step, and the rate that it was taken with."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        self.seen.append(
            (trainer.global_step, trainer.current_epoch, batch_idx, len(batch[0]), rate, float(outputs["loss"]))
        )


class KilledError(Exception):
    """The end of a process, after a checkpoint."""


class KilledAt(pl.Callback):
    """Writes a checkpoint after a step, as a run does, and is killed some steps later."""

    def __init__(self, step: int, path: Path) -> None:
        self.step, self.path = step, path

    def on_train_batch_end(self, trainer, *rest):
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)
        if trainer.global_step == self.step + 2:
            raise KilledError


def samples(holdout: float = 0.0) -> Blobs:
    """Make the samples that every module is trained on."""
    options: Any = {"name": "b", "subset": Subset(None, False, 0), "holdout": holdout, "split": "random", "seed": 0,
                    "scale": "standard", "num_workers": 0, "residency": "auto"}  # fmt: skip
    data = Blobs(n_samples=N, n_features=5, n_centers=K, spread=3.0, random_state=0, **options)
    data.setup()
    data.move_to(torch.device("cpu"))
    return data


def make(name: str, data: Blobs) -> Any:
    """Make a module with fresh weights and clusters."""
    torch.manual_seed(0)
    module = MODULES[name](MLPAutoencoder((5,), [8, 6, 2], "relu", None, "fan_in_uniform"))
    if isinstance(module, Student):
        module.begin(1, torch.arange(len(data.part("fit"))) % K)
    elif name not in ("reconstruction", "layerwise"):
        z = module.embed(data.loader("fit"))
        module.initialize(Initialization(torch.zeros(len(z)).long(), z[[0, 35, 70]]))
    return module


@contextmanager
def _rounded(trainer: pl.Trainer) -> Iterator[None]:
    """Take the rates that a graph has, so that runs with and without one can be compared bit by bit."""
    round_rates(trainer.optimizers[0])
    yield


def train(
    folder: Path, name: str, size: int, steps: int, *callbacks: pl.Callback, engine: Any = EagerStep,
    resume_from: Path | None = None, holdout: float = 0.0, accelerator: str = "cpu", **options: Any,
) -> dict[str, Any]:  # fmt: skip
    """Train a module, and return its checkpoint, its curves and what every step was."""
    data, recorder = samples(holdout), Recorder()
    module, stage = make(name, data), StageData(data, BATCH, True, 0)
    own = [CosineAnnealing(0.1)] if name != "layerwise" else []  # which has a schedule itself
    if name not in ("reconstruction", "layerwise", "student"):
        own.append(TargetRefresh(25, 0.0, False))
    options = {"log_every_n_steps": 9, "limit_val_batches": 1.0 if holdout else 0} | options
    trainer = pl.Trainer(
        accelerator=accelerator, devices=1, max_epochs=-1, max_steps=steps, plugins=[AtomicCheckpointIO()],
        enable_checkpointing=False, enable_progress_bar=False, num_sanity_val_steps=0, use_distributed_sampler=False,
        callbacks=[*own, recorder, *callbacks, CheckpointMetadata("fit", {})], enable_model_summary=False,
        logger=MetricsCSV(str(folder), "curves"), **options,
    )  # fmt: skip
    module.step_context = functools.partial(_rounded, trainer)
    if size > 1:
        stage.wrap = functools.partial(Blocks, trainer=trainer, module=module, size=size, make_engine=engine)
    if accelerator != "cpu":
        data.move_to(trainer.strategy.root_device)
    with one_stream(trainer.strategy.root_device):
        trainer.fit(module, datamodule=stage, ckpt_path=resume_from, weights_only=True)
    trainer.save_checkpoint(folder / "end.ckpt")
    content = torch.load(folder / "end.ckpt", weights_only=True)
    content["deepcluster_pl"].pop("seconds")
    return {"checkpoint": content, "curves": read_curves([folder / "curves" / "metrics.csv"]), "steps": recorder.seen}


def differences(a: Any, b: Any, path: str = "") -> list[str]:
    """Return where two nested results differ, bit by bit."""
    if isinstance(a, torch.Tensor):
        return [] if isinstance(b, torch.Tensor) and torch.equal(a, b) else [path]
    if isinstance(a, dict) and isinstance(b, dict):
        keys = [*a, *(key for key in b if key not in a)]
        return [line for key in keys for line in differences(a.get(key), b.get(key), f"{path}/{key}")]
    if isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b):
        pairs = enumerate(zip(a, b, strict=True))
        return [line for i, (u, v) in pairs for line in differences(u, v, f"{path}/{i}")]
    return [] if a == b or (a != a and b != b) else [f"{path}: {a} {b}"]
