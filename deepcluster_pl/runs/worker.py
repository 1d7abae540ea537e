"""A further process of a run; the first one tells it what to do, and it says nothing unless that fails."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

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
        time.sleep(_GRACE_S)  # where the first process found the same, it says so and ends this one
        print(f"process {os.environ['RANK']}: {error}", file=sys.stderr)
        sys.exit(1)
    except (InterruptedRun, KeyboardInterrupt):
        sys.exit(0)  # the first process answers for the signal
    except RuntimeError as error:
        if "Connection" not in str(error):
            raise
        sys.exit(1)  # the first process is gone, and says why


if __name__ == "__main__":
    main()
