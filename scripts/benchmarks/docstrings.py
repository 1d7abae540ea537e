"""Group genuine texts, the docstrings of SciPy, and print a line of JSON for each method and seed.

    python -m scripts.benchmarks.docstrings [--methods auto,kmeans,communities] [--seeds 0,1,2]

A text is the docstring of a public function or class, without its first line and its examples: these name what they
describe. Its subpackage, such as `signal` or `stats`, is its label, and only scores. Subpackages with fewer than 40
texts are left out. SciPy comes with scikit-learn, so nothing is downloaded. Nothing was chosen by these texts.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import inspect
import json
import tempfile
from pathlib import Path
from typing import Any

import scipy
from rich.console import Console

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import without_hydra
from deepcluster_pl.runs.pipeline import run
from deepcluster_pl.utils.provenance import commit
from deepcluster_pl.utils.warnings_filter import silenced_libraries

PACKAGES = (
    "cluster.hierarchy", "fft", "integrate", "interpolate", "io", "linalg", "ndimage", "optimize", "signal", "sparse",
    "spatial", "special", "stats",
)  # fmt: skip
_LEAST_TEXTS, _LEAST_LETTERS = 40, 200


def main() -> int:
    """Print the lines; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--methods", default="auto,kmeans,communities")
    parser.add_argument("--seeds", default="0,1,2")
    chosen = parser.parse_args()
    texts = docstrings()
    with tempfile.TemporaryDirectory() as name:
        table = Path(name) / "docstrings.csv"
        with table.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "package"), *texts])
        for method in chosen.methods.split(","):
            for seed in map(int, chosen.seeds.split(",")):
                print(json.dumps(one_run(Path(name), table, method, seed, texts)), flush=True)
    return 0


def docstrings() -> list[tuple[str, str]]:
    """Return texts and their subpackages, those with enough of them."""
    found: dict[str, tuple[str, str]] = {}
    for package in PACKAGES:
        module = importlib.import_module(f"scipy.{package}")
        for name in getattr(module, "__all__", dir(module)):
            made = getattr(module, name, None)
            text = inspect.getdoc(made) if callable(made) else None
            body = (text or "").split("\nExamples\n")[0].partition("\n")[2].strip()
            if not name.startswith("_") and len(body) >= _LEAST_LETTERS:
                found.setdefault(body, (body, package))
    counts = {package: sum(own == package for _, own in found.values()) for package in PACKAGES}
    return [(body, package) for body, package in found.values() if counts[package] >= _LEAST_TEXTS]


def one_run(scratch: Path, table: Path, method: str, seed: int, texts: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the scores of one run.

    Args:
        scratch: folder for runs.
        table: the texts and their labels.
        method: a recipe.
        seed: of the run.
        texts: as in the table.
    """
    n_clusters = len({package for _, package in texts})
    cfg = compose_checked(
        [
            "data=texts", f"data.path={table}", "data.column=text", "data.label_column=package", f"method={method}",
            f"n_clusters={n_clusters}", f"seed={seed}", "baselines=none", "logger=none", "trainer.accelerator=cpu",
            f"cache_dir={scratch / 'cache'}",
        ]
    ).cfg  # fmt: skip
    assert cfg is not None
    with silenced_libraries():
        found = run(without_hydra(cfg), scratch / f"{method}-{seed}", "docstrings", Console(quiet=True))
    return {
        "data": "docstrings", "scipy": scipy.__version__, "texts": len(texts), "classes": n_clusters, "method": method,
        "seed": seed, "commit": commit(), **{key: round(found["fit"][key], 4) for key in ("acc", "nmi", "ari")},
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
