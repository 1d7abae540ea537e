"""Time the first output of the command and its first training step."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scripts.benchmarks.timing.rounds import Row, in_turn, ratios

ROOT = Path(__file__).resolve().parents[3]
_CLOCK = """# @package _global_
pretrain:
  callbacks:
    clock:
      _target_: scripts.benchmarks.timing.first_step.FirstStep
"""


def startup(rounds: int) -> list[Row]:
    """Return the seconds until help and first line, and until the first step relative to the import of Lightning."""
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    python, run = sys.executable, [sys.executable, "-m", "deepcluster_pl"]

    def timed(*command: str) -> Callable[[int], float]:
        def once(_: int) -> float:
            with tempfile.TemporaryDirectory() as folder:
                recipe = Path(folder) / "mine" / "experiment" / "clock.yaml"
                recipe.parent.mkdir(parents=True)
                recipe.write_text(_CLOCK, encoding="utf-8")
                began = time.perf_counter()
                subprocess.run(command, cwd=folder, env=here, check=True, stdout=subprocess.DEVNULL)
                return time.perf_counter() - began

        return once

    def first_line(_: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            process = subprocess.Popen(
                [*run, "method=kmeans"], cwd=folder, env=here, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            assert process.stdout is not None
            process.stdout.readline()
            took = time.perf_counter() - began
            process.kill()
            process.communicate()
            return took

    took = in_turn(
        {
            "help": timed(*run, "--help"),
            "line": first_line,
            "import": timed(python, "-c", "import pytorch_lightning"),
            "first": timed(*run, "data=digits", "method=dec", "experiment=clock", "--config-dir=mine"),
        }, 1, rounds,
    )  # fmt: skip
    return [
        ("--help, seconds", took["help"], "<= 1.5"),
        ("the first line of a run, seconds", took["line"], "<= 1.5"),
        (
            "until the first training step is done / import pytorch_lightning",
            ratios(took["first"], took["import"]),
            "<= 2",
        ),
    ]
