"""A run of several processes: the first starts the others, shares its plan with them, and ends with them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.distributed import broadcast_from_rank_zero

_VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT")
_PATIENCE = timedelta(days=7)  # the first process may work alone for long, on a start or on scores
_GRACE_S = 20.0


@contextmanager
def distributed_run(world: int, cfg: DictConfig, folder: Path, command: str) -> Iterator[None]:
    """Inside, `world` processes carry out the config together; a run of one process stays alone.

    Processes that were started from outside, as torchrun does, are joined; otherwise they are started here, on this
    machine. Where one of them ends early, so do the others.

    Args:
        world: devices times machines.
        cfg: composed config, which the other processes take over by `joined`.
        folder: the run's.
        command: what the user typed.
    """
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started not in (1, world):
        raise UserError(
            f"found {started} processes for trainer.devices times trainer.num_nodes = {world}; type "
            f"trainer.strategy=ddp trainer.devices=<processes on a machine> trainer.num_nodes=<machines>"
        )
    if world == 1 or dist.is_initialized():
        yield
        return
    if started == 1 and cfg.trainer.num_nodes > 1:
        raise UserError(
            f"trainer.num_nodes={cfg.trainer.num_nodes}: processes on other machines are started by torchrun; type "
            f"torchrun --nnodes={cfg.trainer.num_nodes} --nproc-per-node=<processes on a machine> -m deepcluster_pl …"
        )
    check_distributable(cfg)
    plan = {"cfg": OmegaConf.to_container(cfg), "folder": str(folder.absolute()), "cwd": os.getcwd()}
    others: list[subprocess.Popen[bytes]] = []
    before, threads = {name: os.environ.get(name) for name in _VARIABLES}, torch.get_num_threads()
    try:
        if started == 1:
            others = _start_others(world, max(1, threads // world))
        _watch(others)
        join_process_group(lambda: plan | {"command": command})
        yield
        for process in others:
            process.wait()
    except Exception as error:
        lost = _first_lost(others)
        if lost is None:
            raise
        raise UserError(f"{lost}, and the run ends with it; type resume={folder} to go on") from error
    finally:
        for process in others:
            process.terminate()
        if dist.is_initialized():
            dist.destroy_process_group()
        torch.set_num_threads(threads)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def check_distributable(cfg: DictConfig) -> None:
    """`UserError` where a part of the recipe would come out differently in several processes.

    A class says by `distributable` whether its loss is a mean over samples, and all it remembers is the same
    everywhere. Methods and pretraining have to; callbacks are taken to be so unless they deny it.
    """
    callbacks = {f"callbacks.{name}": node for name, node in (cfg.callbacks or {}).items()}
    for key, node in {"method": cfg.method, "pretrain.module": cfg.pretrain.module, **callbacks}.items():
        if node is not None and not getattr(get_object(node._target_), "distributable", key in callbacks):
            name = node._target_.rpartition(".")[2]
            raise UserError(f"{key}: {name} works in one process; type trainer.devices=1 trainer.strategy=auto")


def join_process_group(make_plan: Any) -> Any:
    """Meet the other processes, by what the environment says, and take over the first one's plan."""
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=_PATIENCE)
    return broadcast_from_rank_zero(make_plan)


def _start_others(world: int, threads: int) -> list[subprocess.Popen[bytes]]:
    """Start all but this one; the cores are shared out, since threads of several processes get in each other's way."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ.update(WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), NODE_RANK="0")
    os.environ.update(RANK="0", LOCAL_RANK="0")
    torch.set_num_threads(threads)
    command = [sys.executable, "-m", "deepcluster_pl.runs.worker"]
    shared = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    ranks = (str(place) for place in range(1, world))
    return [subprocess.Popen(command, env={**shared, "RANK": r, "LOCAL_RANK": r}) for r in ranks]


def _watch(others: list[subprocess.Popen[bytes]]) -> None:
    """End this process too where another one died and a collective call still waits for it."""

    def wait(place: int, process: subprocess.Popen[bytes]) -> None:
        if process.wait() != 0 and dist.is_initialized():
            time.sleep(_GRACE_S)
            if dist.is_initialized():
                print(f"process {place} ended early (code {process.returncode})", file=sys.stderr, flush=True)
                for other in others:
                    other.kill()
                os._exit(1)

    for place, process in enumerate(others, start=1):
        threading.Thread(target=wait, args=(place, process), daemon=True).start()


def _first_lost(others: list[subprocess.Popen[bytes]]) -> str | None:
    """Which process ended early, if any; a broken connection is noticed before the end of the process behind it."""
    for _ in range(20):
        for place, process in enumerate(others, start=1):
            if process.poll() not in (None, 0):
                return f"process {place} of {len(others) + 1} ended early (code {process.returncode})"
        time.sleep(0.1 if others else 0)
    return None
