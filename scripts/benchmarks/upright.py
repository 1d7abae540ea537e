"""Measure what setting images upright, and comparing them bent, does to method=gradients: a JSON line a data set.

    python -m scripts.benchmarks.upright --root data                 digits, MNIST-10k and Fashion-10k, seed 0
    python -m scripts.benchmarks.upright --data digits --seed 1

A line has the largest modularity with images as they are and set upright, then by nearest embeddings and by elastic
distances. These decide without labels. The scores of all three only tell whether they decided well. `--root` is the
folder of MNIST/ and FashionMNIST/.
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
WAYS = {
    "as_they_are": ("net.upright=false", "net.elastic=false"),
    "upright": ("net.upright=true", "net.elastic=false"),
    "bent": ("net.upright=auto", "net.elastic=true"),
}
"""Settings of the three runs."""


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
    line: dict[str, Any] = {"data": name, "seed": seed, "modularity": modularities(typed)}
    for way, settings in WAYS.items():
        with tempfile.TemporaryDirectory() as scratch, silenced_libraries():
            cfg = compose_checked(["method=gradients", *settings, f"cache_dir={scratch}/cache", *typed]).cfg
            assert cfg is not None
            found = run(without_hydra(cfg), Path(scratch) / "run", "upright", Console(quiet=True))
            line[way] = {"acc": round(found["fit"]["acc"], 4), "nmi": round(found["fit"]["nmi"], 4)}
    return line


def modularities(typed: list[str]) -> dict[str, float]:
    """Return the largest modularity of images as they are and upright, then by nearest and by elastic neighbors."""
    cfg = compose_checked(["method=gradients", *typed]).cfg
    assert cfg is not None
    data: ClusteringData = instantiate_node(cfg.data)
    data.setup()
    net = Gradients(data.input_shape, 4, 8, 50, upright="auto", elastic="auto")
    net.measure(data)
    net.neighbor_order(data)
    assert net.clearness is not None
    assert net.clearness_bent is not None
    names = ("as_they_are", "upright", "nearest", "bent")
    return {name: round(value, 4) for name, value in zip(names, (*net.clearness, *net.clearness_bent), strict=True)}


if __name__ == "__main__":
    main()
