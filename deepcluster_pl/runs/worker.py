"""A further process of a run. The first one tells it what to do; it prints nothing unless that fails."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import torch.distributed as dist
from omegaconf import OmegaConf
from rich.console import Console

from deepcluster_pl.errors import InterruptedRun, UserError
from deepcluster_pl.runs.launch import join_process_group
from deepcluster_pl.runs.pipeline import run
from deepcluster_pl.utils.warnings_filter import silence_libraries

_GRACE_S = 5.0


def main() -> None:
    """Join the run that the environment names (RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT)."""
    silence_libraries()
    try:
        plan = join_process_group(dict)
        os.chdir(plan["cwd"])
        run(OmegaConf.create(plan["cfg"]), Path(plan["folder"]), plan["command"], Console(quiet=True))
    except UserError as error:
        time.sleep(_GRACE_S)  # the first process may have found the same; then it prints it and ends this one
        print(f"process {os.environ['RANK']}: {error}", file=sys.stderr)
        sys.exit(1)
    except (InterruptedRun, KeyboardInterrupt):
        sys.exit(0)  # the first process answers for the signal
    except RuntimeError:
        if not _first_process_is_gone():
            raise
        sys.exit(1)  # the first process has said why


def _first_process_is_gone() -> bool:
    """Return whether the store, which the first process serves, no longer answers."""
    try:
        dist.distributed_c10d._get_default_store().check(["any key"])
    except RuntimeError:  # torch.distributed's errors are of this kind
        return True
    return False


if __name__ == "__main__":
    main()
