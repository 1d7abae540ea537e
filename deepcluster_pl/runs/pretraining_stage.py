"""The stage that pretrains the net, or reads a pretrained one from an earlier run or the cache."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import seed_everything

from deepcluster_pl.config.fingerprints import pretraining_fingerprint
from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.nets.compile import compile_net
from deepcluster_pl.runs.recipe import Recipe
from deepcluster_pl.runs.stages import Ready
from deepcluster_pl.runs.trainer import StageTrainer
from deepcluster_pl.training import Checkpoint
from deepcluster_pl.utils.atomic_files import atomic_copy
from deepcluster_pl.utils.distributed import broadcast_from_rank_zero, is_rank_zero
from deepcluster_pl.utils.progress import doing

_LOOKS = 100
"""Looks at the held-out part during pretraining, about; each costs as much as several steps of a small net."""


def pretrain(recipe: Recipe, stages: StageTrainer, ready: Ready) -> Autoencoder:
    """Pretrain the net, or read a pretrained one from an earlier run or the cache.

    Args:
        recipe: the recipe; without a pretraining the net has fresh weights.
        stages: trains.
        ready: the run so far; its resume point may hold a pretraining.

    Returns:
        The net.

    Raises:
        UserError: the net does not fit the recipe or a checkpoint, or pretraining diverged.
    """
    cfg, console = recipe.cfg, stages.console
    # Make the net
    seed_everything(cfg.seed, verbose=False)
    net = recipe.make_net()
    with doing("measuring the samples"):
        net.measure(ready.data)
    if net.remark:
        console.print(f"net: {net.remark}", highlight=False, soft_wrap=True)
    if cfg.whiten is not None:
        net.check_linear_code()  # now rather than after pretraining
    if cfg.compile and (reason := compile_net(net)):
        console.print(f"warning: compile=true has no effect here ({reason})", highlight=False, soft_wrap=True)
    if cfg.pretrain.module is None:
        return net
    # Look for a pretrained one
    source, save_to = ready.resume.pretrained, stages.folder.pretrained
    cached = _cache_of_pretrained(cfg, ready) if source is None and cfg.pretrained == "auto" else None
    if cached is not None:
        source = broadcast_from_rank_zero(lambda: _cached_net(cached, ready, net))
    # Train it
    if source is None:
        module, callbacks = recipe.make_pretraining(net)
        data = StageData(ready.data, cfg.pretrain.batch_size, cfg.pretrain.shuffle, cfg.seed)
        n = n_epochs(cfg, len(ready.data.part("fit")))
        resume_from = ready.resume.pretrain_from
        limits = {"max_epochs": n, "check_val_every_n_epoch": _look_every(cfg, n)}
        end = stages.train("pretrain", module, data, callbacks, ready.fingerprint, resume_from, save_to, **limits)
        ready.seconds["pretrain"] = end.seconds
        if cached is not None and is_rank_zero():
            with ready.warnings.attempt(f"{cached} of cache_dir"):
                atomic_copy(save_to, cached)
        return net
    # Or take over the weights
    remark = source.check_pretrained(ready.fingerprint["data"], len(ready.data.part("holdout")) > 0)
    source.load_into(net, prefix="net.")
    ready.seconds["pretrain"] = source.seconds
    if source.path != save_to and is_rank_zero():
        console.print(f"pretrained net: {source.path} {remark}", highlight=False, soft_wrap=True, markup=False)
        atomic_copy(source.path, save_to)
    return net


def n_epochs(cfg: DictConfig, n_samples: int) -> int:
    """Return the epochs of pretraining: `max_epochs`, or more where those have too few steps.

    A recipe made on 70,000 samples is too short on a tenth of them, since epochs then have a tenth of the steps. So an
    epoch counts as `least_steps_per_epoch` at least, and all of them as `least_steps`.

    Args:
        cfg: the config.
        n_samples: number of fitted samples.

    >>> n_epochs(OmegaConf.create({"pretrain": {"max_epochs": 150, "batch_size": 256, "least_steps": 6000}}), 1797)
    750
    >>> shorter = {"pretrain": {"max_epochs": 6, "batch_size": 256, "least_steps_per_epoch": 40}}
    >>> n_epochs(OmegaConf.create(shorter), 1797), n_epochs(OmegaConf.create(shorter), 70_000)
    (30, 6)
    """
    batches = -(-n_samples // int(cfg.pretrain.batch_size))
    steps = -(-batches // int(OmegaConf.select(cfg, "trainer.accumulate_grad_batches") or 1))
    per_epoch = max(steps, int(cfg.pretrain.get("least_steps_per_epoch") or 0))
    least = max(int(cfg.pretrain.max_epochs) * per_epoch, int(cfg.pretrain.get("least_steps") or 0))
    return -(-least // steps)


def _look_every(cfg: DictConfig, n: int) -> int:
    """Return the epochs between two looks at the held-out part: as typed, or so many that n epochs have 100 looks.

    >>> _look_every(OmegaConf.create({"trainer": {"check_val_every_n_epoch": "auto"}}), 500)
    5
    """
    typed = OmegaConf.select(cfg, "trainer.check_val_every_n_epoch")
    return max(1, n // _LOOKS) if typed == "auto" else int(typed or 1)


def _cache_of_pretrained(cfg: DictConfig, ready: Ready) -> Path:
    """Return the cache's file for a pretraining of these settings on these data."""
    name = f"{ready.fingerprint['data']}-{pretraining_fingerprint(cfg)}.ckpt"
    return Path(cfg.cache_dir).expanduser() / "pretrained" / name


def _cached_net(file: Path, ready: Ready, net: Autoencoder) -> Checkpoint | None:
    """Return the cache's checkpoint; None where there is none, or where it is damaged or does not fit the net."""
    cached = Checkpoint.open_if_intact(file)
    if cached is None:
        return None
    try:
        cached.check_pretrained(ready.fingerprint["data"], len(ready.data.part("holdout")) > 0)
        cached.weights_for(net, prefix="net.")
    except UserError:
        return None
    return cached
