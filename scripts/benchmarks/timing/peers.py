"""Run other packages, each in its own environment, as processes that time their steps when asked."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

PACKAGES = {"clustpy": ["clustpy"], "keras": ["keras", "tensorflow-cpu", "scikit-learn"]}
_PROGRAMS = Path(__file__).resolve().parent


def make_environment(name: str, folder: Path) -> Path:
    """Return the interpreter of a peer's environment; a missing environment is made, which downloads the peer.

    Args:
        name: of the peer.
        folder: folder of the environments.
    """
    python = folder / name / "bin" / "python"
    if not python.is_file():
        print(f"making an environment for {name} in {folder / name}")
        venv.create(folder / name, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES[name]], check=True)
    return python


class Peer:
    """A process that answers each line of numbers with the seconds a step.

    Args:
        name: name of the program beside this file, and of its environment.
        folder: folder of the environments; a missing one is made, which downloads the peer.
    """

    def __init__(self, name: str, folder: Path) -> None:
        python = make_environment(name, folder)
        self._process = subprocess.Popen(
            [python, _PROGRAMS / f"{name}_steps.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.versions = self._answer()

    def seconds(self, batch_size: int, steps: int) -> float:
        """Return the seconds of a step of the autoencoder's pretraining."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"batch_size": batch_size, "steps": steps}) + "\n")
        self._process.stdin.flush()
        return float(self._answer())

    def close(self) -> None:
        """End the process."""
        self._process.terminate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("answer "):
                return json.loads(line.removeprefix("answer "))
        print(f"a peer ended with code {self._process.wait()}", file=sys.stderr)
        raise SystemExit(1)
