"""The origin of a result: versions of packages, the commit of the code, the machine."""

from __future__ import annotations

import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from deepcluster_pl import __version__

_PACKAGE = Path(__file__).resolve().parents[1]
_PACKAGES = ("torch", "pytorch-lightning", "scikit-learn", "numpy", "hydra-core")


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide a result, by name."""
    return {"deepcluster_pl": __version__} | {name: version(name) for name in _PACKAGES}


def commit(package: Path = _PACKAGE) -> str | None:
    """Return the git commit that this code is a checkout of.

    Args:
        package: folder of the package.

    Returns:
        The commit, with `-dirty` behind it if code or recipes were changed since. None for an installed package, even
        inside somebody else's repository, and where git is missing.
    """
    # A checkout of ours tracks the package's own file; a repository around an installed package does not
    own = package / "__init__.py"
    top = _git(package, "rev-parse", "--show-toplevel")
    if top is None or _git(package, "ls-files", "--error-unmatch", str(own)) is None:
        return None
    head = _git(package, "rev-parse", "HEAD")
    changed = _git(Path(top), "status", "--porcelain", "--", str(package), "conf")
    return None if head is None else f"{head}-dirty" if changed else head


def machine(device: torch.device, precision: str, processes: int) -> dict[str, Any]:
    """Describe the hardware that computes the numbers.

    Args:
        device: the device of the tensors.
        precision: the trainer's, such as 32-true.
        processes: number of processes of the run.

    Returns:
        `accelerator`, `precision`, `processes`, `threads` of PyTorch in each, `processor` that computes (a GPU's name,
        or the CPU's) and `vector_instructions` of the CPU as PyTorch sees them.
    """
    on_gpu = device.type == "cuda"
    return {
        "accelerator": device.type,
        "precision": precision,
        "processes": processes,
        "threads": torch.get_num_threads(),
        "processor": torch.cuda.get_device_name(device) if on_gpu else _cpu(),
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
    }


def _cpu() -> str:
    """Return the CPU's name: Linux has it in a file, other systems in `platform`."""
    try:
        model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        model = None
    return model[1] if model else platform.processor() or platform.machine()


def _git(folder: Path, *arguments: str) -> str | None:
    """Return the output of a git command; None where git is missing, slow or fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
