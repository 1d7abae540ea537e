"""Group genuine texts, the docstrings of libraries that are at hand, and record a line of JSON for each run.

    python -m scripts.benchmarks.docstrings run [--texts scipy,sympy] [--methods auto,kmeans] [--seeds 0,1,2]
    python -m scripts.benchmarks.docstrings table            write the table of docs/own_data.md
    python -m scripts.benchmarks.docstrings table --check    exit code 1 if it differs from the lines

A text is the docstring of a public function or class, without its first line and its examples: these name what they
describe. Its subpackage, such as `signal` or `stats`, is its label, and only scores. Subpackages with few texts are
left out. All three libraries come with the package, so nothing is downloaded; their versions are in the lines, which
are appended to docs/results/texts/docstrings.jsonl. Nothing was chosen by the texts of scikit-learn and SymPy.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import inspect
import json
import statistics
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import without_hydra
from deepcluster_pl.runs.pipeline import run
from deepcluster_pl.utils.provenance import commit
from deepcluster_pl.utils.warnings_filter import silenced_libraries
from scripts.benchmarks.marked_tables import as_markdown, recorded, write_tables

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINES, PAGE = DOCS / "results" / "texts" / "docstrings.jsonl", DOCS / "own_data.md"
LIBRARIES = {
    "scipy": (
        40, "cluster.hierarchy", "fft", "integrate", "interpolate", "io", "linalg", "ndimage", "optimize", "signal",
        "sparse", "spatial", "special", "stats",
    ),
    "sklearn": (
        20, "cluster", "covariance", "datasets", "decomposition", "ensemble", "feature_selection", "linear_model",
        "manifold", "metrics", "model_selection", "neighbors", "preprocessing", "svm", "tree",
    ),
    "sympy": (
        25, "calculus", "combinatorics", "core", "crypto", "functions", "geometry", "integrals", "matrices",
        "ntheory", "polys", "printing", "simplify", "solvers", "stats",
    ),
}  # fmt: skip
"""By the library: the fewest texts of a subpackage that takes part, and the subpackages looked at."""
PACKAGES = {"scipy": "scipy", "sklearn": "scikit-learn", "sympy": "sympy"}
METHODS = ("kmeans", "gmm", "graph", "communities", "auto", "ae_kmeans", "scan")
_LEAST_LETTERS = 200


def main() -> int:
    """Carry out the runs, or write or check the table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--texts", default=",".join(LIBRARIES))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--lines", type=Path, default=LINES)
    options = parser.parse_args()
    if options.what == "table":
        return write_tables(PAGE, "docstrings", {"table": table(recorded(options.lines))}, options.check)
    for library in options.texts.split(","):
        texts = docstrings(library)
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / f"{library}.csv"
            with file.open("w", encoding="utf-8", newline="") as text_file:
                csv.writer(text_file).writerows([("text", "package"), *texts])
            for method in options.methods.split(","):
                for seed in map(int, options.seeds.split(",")):
                    line = json.dumps(one_run(Path(name), file, library, method, seed, texts))
                    print(line, flush=True)
                    with options.lines.open("a", encoding="utf-8") as lines:
                        lines.write(line + "\n")
    return 0


def docstrings(library: str) -> list[tuple[str, str]]:
    """Return texts and their subpackages, those with enough of them.

    Args:
        library: key of `LIBRARIES`.
    """
    found: dict[str, tuple[str, str]] = {}
    fewest, *packages = LIBRARIES[library]
    for package in map(str, packages):
        module = importlib.import_module(f"{library}.{package}")
        for name in getattr(module, "__all__", dir(module)):
            try:
                made = getattr(module, name, None)
            except ImportError:  # an experiment that has to be enabled
                continue
            text = inspect.getdoc(made) if callable(made) else None
            body = (text or "").split("\nExamples\n")[0].partition("\n")[2].strip()
            if not name.startswith("_") and len(body) >= _LEAST_LETTERS:
                found.setdefault(body, (body, package))
    counts = {package: sum(own == package for _, own in found.values()) for package in packages}
    return [(body, package) for body, package in found.values() if counts[package] >= int(fewest)]


def one_run(
    scratch: Path, table: Path, library: str, method: str, seed: int, texts: list[tuple[str, str]]
) -> dict[str, Any]:
    """Return the scores of one run.

    Args:
        scratch: folder for runs.
        table: the texts and their labels.
        library: whose texts they are.
        method: a recipe.
        seed: of the run.
        texts: as in the table.
    """
    n_clusters = len({package for _, package in texts})
    composition = compose_checked(
        [
            "data=texts", f"data.path={table}", "data.column=text", "data.label_column=package", f"method={method}",
            f"n_clusters={n_clusters}", f"seed={seed}", "baselines=none", "logger=none", "trainer.accelerator=cpu",
            f"cache_dir={scratch / 'cache'}", "pretrained=auto",
        ]
    )  # fmt: skip
    if composition.cfg is None or composition.problems:
        raise SystemExit("\n".join(composition.problems))
    folder = scratch / f"{method.replace('/', '_')}-{seed}"
    with silenced_libraries():
        found = run(without_hydra(composition.cfg), folder, "docstrings", Console(quiet=True))
    return {
        "texts": library, "version": version(PACKAGES[library]), "n": len(texts), "classes": n_clusters,
        "method": method, "seed": seed, "commit": commit(), "chosen": (found["choice"] or {}).get("name"),
        "kept": found["kept"], **{key: round(found["fit"][key], 4) for key in ("acc", "nmi", "ari")},
    }  # fmt: skip


def table(runs: list[dict[str, Any]]) -> str:
    """Return the mean NMI and ARI over seeds, a row for each method and a column for each library."""
    libraries = [name for name in LIBRARIES if any(line["texts"] == name for line in runs)]
    rows: list[tuple[str, ...]] = [("`method=`", "seeds", *(titles(runs, name) for name in libraries))]
    for method in dict.fromkeys(line["method"] for line in runs):
        own = [line for line in runs if line["method"] == method]
        seeds = ", ".join(str(seed) for seed in dict.fromkeys(line["seed"] for line in own))
        cells = (scores([line for line in own if line["texts"] == name]) for name in libraries)
        rows.append((f"`{method}`", seeds, *cells))
    return as_markdown(rows)


def titles(runs: list[dict[str, Any]], library: str) -> str:
    """Return the title of a column.

    Args:
        runs: all lines.
        library: of the column.
    """
    first = next(line for line in runs if line["texts"] == library)
    return f"{PACKAGES[library]} {first['version']}, {first['n']:,} texts of {first['classes']}"


def scores(runs: list[dict[str, Any]]) -> str:
    """Return the mean NMI and ARI with the range of the NMI."""
    if not runs:
        return "–"
    nmi, ari = [line["nmi"] for line in runs], [line["ari"] for line in runs]
    return f"{statistics.mean(nmi):.3f}/{statistics.mean(ari):.3f} ({min(nmi):.3f} – {max(nmi):.3f})"


if __name__ == "__main__":
    raise SystemExit(main())
