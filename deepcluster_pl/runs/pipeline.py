"""One run, from a config to its folder: data, net, pretrain, start, fit, predict, results."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning import seed_everything
from rich.console import Console
from torch import Tensor

from deepcluster_pl.config.fingerprints import fingerprint_of, pretraining_fingerprint
from deepcluster_pl.config.instantiate import instantiate_node, some
from deepcluster_pl.config.validation import check, with_number
from deepcluster_pl.data.datamodule import ClusteringData
from deepcluster_pl.data.samples import Table
from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.predictions import assign_all, embed_all, partition_from
from deepcluster_pl.evaluation.projection import check_map
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.initial_clustering import Initialization, check_clusterer, fit_initialization
from deepcluster_pl.methods.initialization.n_clusters import AUTO, ClusterNumberEstimate
from deepcluster_pl.methods.initialization.whitening import whitened
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.nets.compile import compile_net
from deepcluster_pl.nets.embed import embed_part
from deepcluster_pl.reporting.figures import save_reconstructions
from deepcluster_pl.runs.failures import friendly_errors
from deepcluster_pl.runs.launch import distributed_run
from deepcluster_pl.runs.results import Trained, leave
from deepcluster_pl.runs.resume_point import ResumePoint, find_resume_point
from deepcluster_pl.runs.trainer import Workshop
from deepcluster_pl.training.callbacks.target_refresh import TargetRefresh
from deepcluster_pl.training.checkpoints import (
    check_fingerprint,
    check_pretrained,
    is_intact,
    load_weights,
    read_checkpoint,
)
from deepcluster_pl.utils.atomic_files import atomic_copy
from deepcluster_pl.utils.distributed import broadcast_from_rank_zero, is_rank_zero
from deepcluster_pl.utils.provenance import commit
from deepcluster_pl.utils.random import sample_rows


def run(cfg: DictConfig, folder: Path, command: str, console: Console) -> dict[str, Any]:
    """Carry out a recipe in `folder` and return the content of its scores.json.

    Args:
        cfg: composed config.
        folder: the run's own; what an interrupted run left there is built upon.
        command: what the user typed, for the record.
        console: where progress and the final table go.
    """
    code = commit()  # now: a checkout may change later
    shop = open_workshop(cfg, folder, console)
    with friendly_errors(folder), distributed_run(shop.world_size, cfg, folder, command):
        trained = train(cfg, shop)
        return leave(shop, trained, command, code) if is_rank_zero() else {}


def run_on_samples(cfg: DictConfig, table: Table, folder: Path, console: Console) -> Trained:
    """Carry out a recipe on samples that are in memory; results are returned, and only checkpoints go into `folder`.

    Args:
        cfg: composed config; of `data`, all but where samples come from.
        table: the samples.
        folder: an empty one.
        console: where progress goes.
    """
    shop = open_workshop(cfg, folder, console)
    if shop.world_size > 1:
        raise UserError(
            f"found {shop.world_size} devices, and samples in memory are of one process; type trainer.devices=1"
        )
    return train(cfg, shop, table)


def train(cfg: DictConfig, shop: Workshop, table: Table | None = None) -> Trained:
    """The story itself, alike in all processes of a run."""
    folder, console, machine = shop.folder, shop.console, shop.describe()
    entry = broadcast_from_rank_zero(lambda: find_resume_point(folder, cfg.ckpt_path, cfg.pretrained))
    is_open = cfg.n_clusters == AUTO
    check_clusterer(instantiate_node((with_number(cfg, cfg.choose.smallest) if is_open else cfg).start))
    check_map(cfg.map)
    data = load_data(cfg, table)
    check_callbacks(cfg, len(data.part("fit")))
    shop.origin.update(data=data.fingerprint(), **fingerprint_of(cfg))
    for path in (entry.pretrain_from, entry.fit_from, entry.final):
        if path is not None:
            check_fingerprint(path, shop.origin)
    broadcast_from_rank_zero(lambda: data.save_records(folder))
    for line in filter(None, (f"{data.describe()}; {machine}", entry.remark)):
        console.print(line, highlight=False, soft_wrap=True)

    data.move_to(shop.device)
    net = pretrained_net(cfg, shop, data, entry)
    number = found_number(cfg, shop, data, net, entry) if is_open else None
    cfg = with_number(cfg, number.n_clusters) if number else cfg
    clusterer = instantiate_node(cfg.start)
    method: ClusteringModule = instantiate_node(cfg.method, net=net).to(shop.device)
    codes = embed_all(method, data)
    if cfg.pretrain.module is not None and is_rank_zero() and table is None:
        save_reconstructions(folder, data, net)  # a fit may leave the decoder behind
    start = begin(cfg, shop, method, clusterer, codes["fit"], entry)
    changed = start.code_matrix is not None
    started = partition_from(assign_all(method, embed_all(method, data) if changed else codes))
    ended = fit(cfg, shop, method, data, entry) if method.learns else {"stopped": "none", "steps": 0}
    predictions = assign_all(method, embed_all(method, data))
    return Trained(cfg, number, data, method, None if changed else clusterer, codes, started, predictions, ended)


def open_workshop(cfg: DictConfig, folder: Path, console: Console) -> Workshop:
    """All a stage needs, once the config has been checked."""
    check(cfg)
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32, in convolutions too
    torch.set_flush_denormal(True)  # Adam steps ten times slower where momenta of dead units are denormal
    return Workshop(
        make_trainer=instantiate(cfg.trainer, _partial_=True),
        make_loggers=instantiate(cfg.logger) or {},
        folder=folder,
        console=console,
        checkpoint_interval=cfg.checkpoint_interval,
        origin={},
    )


def load_data(cfg: DictConfig, table: Table | None = None) -> ClusteringData:
    """The data, or a table in its place, checked, with enough samples for the clusters asked for."""
    data: ClusteringData = instantiate_node(cfg.data)
    if table is not None:
        data.take_over(table)
    data.setup()
    n = len(data.part("fit"))
    if cfg.n_clusters == AUTO:
        instantiate_node(cfg.choose).check(n)
    elif n < cfg.n_clusters:
        raise UserError(f"n_samples={n} should be >= n_clusters={cfg.n_clusters}; type n_clusters={n} or fewer")
    return data


def check_callbacks(cfg: DictConfig, n: int) -> None:
    """`UserError` where the fit of n samples is too short for a callback; said now rather than after pretraining."""
    batches = -(-n // cfg.fit.batch_size)
    steps = -(-batches // (cfg.trainer.get("accumulate_grad_batches") or 1))
    for callback in some(instantiate_node(cfg.callbacks)):
        if hasattr(callback, "check"):
            callback.check(cfg.fit.max_steps, steps)


def pretrained_net(cfg: DictConfig, shop: Workshop, data: ClusteringData, entry: ResumePoint) -> Autoencoder:
    """The net, trained to reconstruct where the recipe says so, or read from an earlier run or the cache."""
    seed_everything(cfg.seed, verbose=False)
    net: Autoencoder = instantiate_node(cfg.net, input_shape=data.input_shape)
    net.measure(data)
    if cfg.whiten is not None:
        net.check_linear_code()  # said now rather than after pretraining
    if cfg.compile and (reason := compile_net(net)):
        shop.console.print(f"warning: compile=true has no effect here ({reason})", highlight=False, soft_wrap=True)
    if cfg.pretrain.module is None:
        return net
    own, cached = shop.checkpoint("pretrained"), None
    source = entry.pretrained
    if source is None and cfg.pretrained == "auto":
        name = f"{shop.origin['data']}-{pretraining_fingerprint(cfg)}.ckpt"
        cached = Path(cfg.cache_dir).expanduser() / "pretrained" / name
        source = broadcast_from_rank_zero(lambda: cached if is_intact(cached) else None)
    if source is None:
        module = instantiate_node(cfg.pretrain.module, net=net)
        data.use(cfg.pretrain.batch_size, cfg.pretrain.shuffle, cfg.seed)
        callbacks = some(instantiate_node(cfg.pretrain.callbacks))
        shop.train("pretrain", module, data, callbacks, entry.pretrain_from, own, max_epochs=cfg.pretrain.max_epochs)
    else:
        remark = check_pretrained(source, shop.origin["data"], len(data.part("holdout")) > 0)
        load_weights(net, source, prefix="net.")
        shop.add_seconds("pretrain", read_checkpoint(source))
        if source != own and is_rank_zero():
            shop.console.print(f"pretrained net: {source} {remark}", highlight=False, soft_wrap=True)
            atomic_copy(source, own)
    if cached is not None and source is None and is_rank_zero():
        atomic_copy(own, cached)
    return net


def found_number(
    cfg: DictConfig, shop: Workshop, data: ClusteringData, net: Autoencoder, entry: ResumePoint
) -> ClusterNumberEstimate:
    """The number of clusters in the net's code, or that of the run whose start is entered behind."""
    kept = entry.start.parent / "n_clusters.json" if entry.start else None
    z = torch.empty(0) if kept else embed_part(net.to(shop.device), data, "fit")
    found: ClusterNumberEstimate = broadcast_from_rank_zero(
        lambda: ClusterNumberEstimate.load(kept) if kept else instantiate_node(cfg.choose).find(z)
    )
    if is_rank_zero():
        found.save(shop.folder / "n_clusters.json")
    shop.console.print(found.describe(), highlight=False, soft_wrap=True)
    return found


def begin(
    cfg: DictConfig, shop: Workshop, method: ClusteringModule, clusterer: Any, z: Tensor, entry: ResumePoint
) -> Initialization:
    """Give the method its first centers, and keep them in start.safetensors; whiten the net's code where asked to."""
    seed_everything(cfg.seed, verbose=False)
    began = time.monotonic()
    rows = sample_rows(len(z), cfg.start_sample_size, cfg.seed)
    start = broadcast_from_rank_zero(
        lambda: Initialization.load(entry.start) if entry.start else make_initialization(clusterer, z[rows], cfg.whiten)
    )
    shop.seconds["start"] = time.monotonic() - began
    if len(start.centers) != method.n_clusters:
        raise UserError(f"the start gives {len(start.centers)} clusters, expected n_clusters={method.n_clusters}")
    if is_rank_zero():
        start.save(shop.folder / "start.safetensors")
    if start.code_matrix is not None and start.code_shift is not None:
        method.net.change_code(start.code_matrix, start.code_shift)
    method.initialize(start)
    found_on = [f"found on {len(rows)} of {len(z)} samples"] if len(rows) < len(z) else []
    if told := "; ".join([*found_on, *filter(None, [start.describe()])]):
        shop.console.print(f"start: {told}", highlight=False, soft_wrap=True)
    return start


def make_initialization(clusterer: Any, z: Tensor, variance: float | None) -> Initialization:
    """The start on embeddings (N, D), their code whitened to `variance` where that is given."""
    start = fit_initialization(clusterer, z)
    return start if variance is None else whitened(start, z, variance)


def fit(
    cfg: DictConfig, shop: Workshop, method: ClusteringModule, data: ClusteringData, entry: ResumePoint
) -> dict[str, Any]:
    """Fine-tune, and say what ended it: `tol` (assignments settled) or `max_steps`, after how many steps."""
    seed_everything(cfg.seed, verbose=False)
    callbacks = some(instantiate_node(cfg.callbacks))
    if entry.final:
        load_weights(method, entry.final)
    else:
        data.use(cfg.fit.batch_size, cfg.fit.shuffle, cfg.seed)
        limits = {"max_epochs": -1, "max_steps": cfg.fit.max_steps, "limit_val_batches": 0}
        shop.train("fit", method, data, callbacks, entry.fit_from, shop.checkpoint("final"), **limits)
        method.to(shop.device)
    if not is_rank_zero():
        return {}
    content = read_checkpoint(shop.checkpoint("final"))
    shop.add_seconds("fit", content)
    settled = content["callbacks"].get(TargetRefresh.__qualname__, {}).get("settled", False)
    return {"stopped": "tol" if settled else "max_steps", "steps": int(content["global_step"])}
