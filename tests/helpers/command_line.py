"""Commands small enough for tests, and how to read what they left."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TINY = (
    "data=blobs", "data.n_samples=120", "data.n_features=6", "data.spread=1.0", "method=dec", "n_clusters=3",
    "net.dims=[16,4]", "pretrain.max_epochs=3", "pretrain.batch_size=32", "fit.max_steps=20", "fit.batch_size=32",
    "trainer.accelerator=cpu", "guard=false",
)  # fmt: skip
TINY_RAW = tuple(text for text in TINY if not text.startswith("net."))
TINY_DEC = (*TINY, "callbacks.target_refresh.update_interval=5", "callbacks.target_refresh.tol=0")


@dataclass
class Outcome:
    code: int
    out: str
    err: str
    folder: Path

    @property
    def scores(self) -> dict[str, Any]:
        return json.loads((self.folder / "scores.json").read_text())

    @property
    def assignments(self) -> list[dict[str, str]]:
        with (self.folder / "assignments.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            return list(csv.DictReader(file))

    @property
    def labels(self) -> list[tuple[str, str]]:
        return [(row["cluster"], row["confidence"]) for row in self.assignments]
