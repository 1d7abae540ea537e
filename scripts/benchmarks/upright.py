"""Measure what setting images upright does to method=gradients: one JSON line a data set.

    python -m scripts.benchmarks.upright --root data                 digits, MNIST-10k and Fashion-10k, seed 0
    python -m scripts.benchmarks.upright --data digits --seed 1

A line has the largest modularity with images as they are and set upright, which decides without labels, and the scores
of both, which only tell whether it decided well. `--root` is the folder of MNIST/ and FashionMNIST/.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.config.nodes import without_hydra
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.nets.gradients import Gradients
from deepcluster_pl.runs.pipeline import run
from deepcluster_pl.utils.warnings_filter import silenced_libraries
from scripts.benchmarks.auto import DATA

IMAGES = ("digits", "mnist_10k", "fashion_10k")


def main() -> None:
    """Print one line for each data set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", default=",".join(IMAGES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--root", default="data")
    chosen = parser.parse_args()
    for name in chosen.data.split(","):
        print(json.dumps(one_set(name, chosen.seed, chosen.root)), flush=True)


def one_set(name: str, seed: int, root: str) -> dict[str, Any]:
    """Return the modularities, the choice and the scores of one data set.

    Args:
        name: a key of `scripts.benchmarks.auto.DATA` whose samples are images.
        seed: the run's seed.
        root: folder of MNIST/ and FashionMNIST/.
    """
    typed = [*DATA[name], f"seed={seed}", *([f"data.root={root}"] if name.endswith("_10k") else [])]
    scores = {}
    for upright in ("false", "true"):
        with tempfile.TemporaryDirectory() as scratch, silenced_libraries():
            asked = ["method=gradients", f"net.upright={upright}", f"cache_dir={scratch}/cache", *typed]
            cfg = compose_checked(asked).cfg
            assert cfg is not None
            found = run(without_hydra(cfg), Path(scratch) / "run", "upright", Console(quiet=True))
            scores[upright] = {"acc": round(found["fit"]["acc"], 4), "nmi": round(found["fit"]["nmi"], 4)}
    before, after = modularities(typed)
    decided = {"as_they_are": round(before, 4), "upright": round(after, 4)}
    return {
        "data": name,
        "seed": seed,
        "modularity": decided,
        "as_they_are": scores["false"],
        "upright": scores["true"],
    }


def modularities(typed: list[str]) -> tuple[float, float]:
    """Return the largest modularity with images as they are, and set upright."""
    cfg = compose_checked(["method=gradients", *typed]).cfg
    assert cfg is not None
    data: ClusteringData = instantiate_node(cfg.data)
    data.setup()
    net = Gradients(data.input_shape, 4, 8, 50, upright="auto")
    net.measure(data)
    assert net.clearness is not None
    return net.clearness


if __name__ == "__main__":
    main()
