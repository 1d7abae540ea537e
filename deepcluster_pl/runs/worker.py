"""Carry out the plan of rank 0 in a further process of a run; print nothing unless that fails."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import torch.distributed as dist
from omegaconf import OmegaConf
from rich.console import Console

from deepcluster_pl.errors import InterruptedRun, UserError, first_line
from deepcluster_pl.runs.launch import join_process_group
from deepcluster_pl.runs.pipeline import run
from deepcluster_pl.utils.warnings_filter import silence_libraries

_GRACE_S = 5.0
_CONNECTION = re.compile(r"gloo|nccl|connection (closed|reset|refused)|broken pipe", re.IGNORECASE)
"""Words of PyTorch's errors where a connection to another process breaks."""


def main() -> None:
    """Join the run that the environment names (RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT)."""
    silence_libraries()
    try:
        plan = join_process_group(dict)
        os.chdir(plan["cwd"])
        run(OmegaConf.create(plan["cfg"]), Path(plan["folder"]), plan["command"], Console(quiet=True))
    except UserError as error:
        time.sleep(_GRACE_S)  # rank 0 may have raised the same; then it prints it and ends this process
        print(f"process {os.environ['RANK']}: {error}", file=sys.stderr)
        sys.exit(1)
    except (InterruptedRun, KeyboardInterrupt):
        sys.exit(0)  # rank 0 reports the signal
    except RuntimeError as error:
        if not _has_lost_another(error):
            raise
        if "TORCHELASTIC_RUN_ID" in os.environ:  # rank 0 was not the one that started this process, and may be gone
            reason = f"lost its connection to the others, one of which has ended ({first_line(error)[:200]})"
            print(f"process {os.environ['RANK']} {reason}", file=sys.stderr)
        sys.exit(1)  # else rank 0 has printed the reason


def _has_lost_another(error: RuntimeError) -> bool:
    """Return whether an error is that of a collective operation whose other processes have gone."""
    if isinstance(error, dist.DistError) or _CONNECTION.search(str(error)):
        return True
    try:
        dist.distributed_c10d._get_default_store().check(["any key"])
    except (RuntimeError, ValueError):  # the store, which rank 0 serves, no longer answers, or never did
        return True
    return False


if __name__ == "__main__":
    main()
