"""Run a config in several processes: rank 0 starts the others, sends them the plan, and ends with them."""

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

from deepcluster_pl.errors import UserError, resume_command
from deepcluster_pl.utils.distributed import broadcast_from_rank_zero

_VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT")
_TIMEOUT = timedelta(days=7)  # rank 0 may work alone for long, on an initialization or on scores
_GRACE_S = 20.0


@contextmanager
def distributed_run(world: int, cfg: DictConfig, folder: Path, command: str) -> Iterator[None]:
    """Carry out the block in `world` processes; a run of one process starts no other.

    If torchrun has started the processes, this one joins them; otherwise it starts them on this machine. If one of
    them ends early, all end.

    Args:
        world: number of processes, devices times machines.
        cfg: the config, which the other processes receive from rank 0.
        folder: the run folder.
        command: the command as typed, for the record.

    Raises:
        UserError: the settings ask for another number of processes than there are, a part of the recipe works in one
            process only, or a process ended early.
    """
    # Check that the processes are those that the settings ask for
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
    # Start or join the others, and send them the plan
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
        failure = _first_failure(others)
        if failure is None:
            raise
        raise UserError(f"{failure}, and the run ends with it; type {resume_command(folder)} to continue") from error
    finally:
        for process in others:
            process.terminate()
        if dist.is_initialized():
            dist.destroy_process_group()
        torch.set_num_threads(threads)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def check_distributable(cfg: DictConfig) -> None:
    """Raise `UserError` if a part of the recipe would give other results in several processes.

    The attribute `distributable` of a class states that several processes compute what one process would. A method and
    a pretraining without it are refused; a callback without it is accepted.
    """
    callbacks = {f"callbacks.{name}": node for name, node in (cfg.callbacks or {}).items()}
    student = cfg.student.method if cfg.get("student") else None
    nodes = {"method": cfg.method, "pretrain.module": cfg.pretrain.module, "student": student, **callbacks}
    for key, node in nodes.items():
        if node is not None and not getattr(get_object(node._target_), "distributable", key in callbacks):
            name = node._target_.rpartition(".")[2]
            raise UserError(f"{key}: {name} works in one process; type trainer.devices=1 trainer.strategy=auto")


def join_process_group(make_plan: Any) -> Any:
    """Join the process group that the environment names, and return the plan of rank 0.

    Args:
        make_plan: makes the plan; called on rank 0 alone.

    Returns:
        The plan, the same in every process.
    """
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=_TIMEOUT)
    return broadcast_from_rank_zero(make_plan)


def _start_others(world: int, threads: int) -> list[subprocess.Popen[bytes]]:
    """Start all ranks but 0, each with its share of the cores; return the processes.

    The environment of this process is set to rank 0.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ.update(WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), NODE_RANK="0")
    os.environ.update(RANK="0", LOCAL_RANK="0")
    torch.set_num_threads(threads)
    # Without its first entry, which is the folder we are in, a rank imports what this process imports
    code = "import sys; del sys.path[0]; from deepcluster_pl.runs.worker import main; main()"
    command = [sys.executable, "-c", code]
    python_path = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": python_path}
    environment.pop("PYTHONSAFEPATH", None)  # with it there would be no such entry
    ranks = (str(rank) for rank in range(1, world))
    return [subprocess.Popen(command, env={**environment, "RANK": rank, "LOCAL_RANK": rank}) for rank in ranks]


def _watch(others: list[subprocess.Popen[bytes]]) -> None:
    """End this process too if another one dies while a collective call waits for it."""

    def wait(rank: int, process: subprocess.Popen[bytes]) -> None:
        if process.wait() != 0 and dist.is_initialized():
            time.sleep(_GRACE_S)
            if dist.is_initialized():
                print(f"process {rank} ended early (code {process.returncode})", file=sys.stderr, flush=True)
                for other in others:
                    other.kill()
                os._exit(1)

    for rank, process in enumerate(others, start=1):
        threading.Thread(target=wait, args=(rank, process), daemon=True).start()


def _first_failure(others: list[subprocess.Popen[bytes]]) -> str | None:
    """Describe the process that ended early, if any; wait two seconds, as its broken connection is noticed first."""
    for _ in range(20):
        for rank, process in enumerate(others, start=1):
            if process.poll() not in (None, 0):
                return f"process {rank} of {len(others) + 1} ended early (code {process.returncode})"
        time.sleep(0.1 if others else 0)
    return None
