"""Estimate the number of clusters of data whose classes are known, and print a line of JSON for each seed.

    python -m scripts.benchmarks.n_clusters [--sets digits wine ...] [--seeds 0 1 2] [--data FOLDER] > lines.jsonl
    python -m scripts.benchmarks.n_clusters --codes code=outputs/<run>/ ...      # the pretrained net of a run
    python -m scripts.benchmarks.n_clusters --table [--check]     # write the table of docs/choosing_k.md, or check it

Estimates are those of `n_clusters=auto` with the keys of `choose` in conf/config.yaml, on the input itself; those of
`_edges` are on what method=gradients clusters, with images upright where groups get clearer. A line holds clarity and
overlap of every number too. Labels are read for the column of classes only. MNIST and digits are development sets: the
rule's limits were set on them.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import OmegaConf
from sklearn import datasets
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.methods.initialization.n_clusters import SplitHalfStability
from deepcluster_pl.nets.gradients import Gradients
from deepcluster_pl.utils.provenance import commit
from scripts.benchmarks.marked_tables import recorded, write_tables

ROOT = Path(__file__).resolve().parents[2]
LINES, PAGE = ROOT / "docs" / "results" / "n_clusters" / "lines.jsonl", ROOT / "docs" / "choosing_k.md"
Samples = tuple[NDArray[Any], NDArray[Any]]


def bundled(load: Callable[[], Any]) -> Samples:
    """Return a data set of scikit-learn, with columns of mean 0 and variance 1."""
    found = load()
    return StandardScaler().fit_transform(found.data), found.target


def blobs(sizes: list[int], seed: int, n_features: int = 8) -> Samples:
    """Return round groups of the given sizes, of standard deviation 1, about middles drawn with deviation 3."""
    middles = 3 * np.random.default_rng(seed).normal(size=(len(sizes), n_features))
    x, y = datasets.make_blobs(sizes, centers=middles, random_state=seed)[:2]
    return x, y


def noisy_blobs() -> Samples:
    """Return four groups and a tenth of uniform noise, which counts as a fifth class."""
    x, y = blobs([225] * 4, 5)
    noise = np.random.default_rng(0).uniform(x.min(axis=0), x.max(axis=0), (100, x.shape[1]))
    return np.concatenate([x, noise]), np.concatenate([y, np.full(100, 4)])


def customers() -> Samples:
    """Return 2,000 made-up customers of four kinds: five numbers that tell, five that do not, two categories."""
    draw = np.random.default_rng(0)
    kind = draw.choice(4, 2000, p=[0.4, 0.3, 0.2, 0.1])
    middles = np.array([[3, 2, 25, 1, 0.2], [5, 8, 45, 6, 0.5], [4, 20, 35, 3, 0.9], [7, 4, 60, 10, 0.1]])
    telling = middles[kind] + draw.normal(size=(2000, 5)) * [0.5, 2, 6, 1.2, 0.1]
    plans = np.array([[0.8, 0.15, 0.05], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5], [0.05, 0.1, 0.85]])
    plan = np.array([draw.choice(3, p=plans[each]) for each in kind])
    numbers = StandardScaler().fit_transform(np.concatenate([telling, draw.normal(size=(2000, 5))], axis=1))
    return np.concatenate([numbers, np.eye(4)[draw.integers(4, size=2000)], np.eye(3)[plan]], axis=1), kind


def uniform(n_features: int) -> Samples:
    """Return 2,000 points of a uniform box, which has no groups."""
    return np.random.default_rng(0).uniform(size=(2000, n_features)), np.zeros(2000, dtype=int)


def pictures(folder: Path, name: str, parts: tuple[str, ...]) -> Samples:
    """Return pictures of torchvision's layout as rows of values from 0 to 1."""
    x = [_idx(folder / name / "raw" / f"{part}-images-idx3-ubyte") for part in parts]
    y = [_idx(folder / name / "raw" / f"{part}-labels-idx1-ubyte") for part in parts]
    return np.concatenate(x).reshape(-1, 784).astype(np.float32) / 255, np.concatenate(y)


def _idx(path: Path) -> NDArray[np.uint8]:
    raw = path.read_bytes()
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def sets(folder: Path | None) -> dict[str, Callable[[], Samples]]:
    """Return what makes each data set, by its name; those of pictures only where their folder is known."""
    known: dict[str, Callable[[], Samples]] = {
        "digits": lambda: bundled(datasets.load_digits),
        "wine": lambda: bundled(datasets.load_wine),
        "breast_cancer": lambda: bundled(datasets.load_breast_cancer),
        "iris": lambda: bundled(datasets.load_iris),
        "blobs_3": lambda: blobs([200] * 3, 1),
        "blobs_7": lambda: blobs([100] * 7, 1),
        "blobs_15": lambda: blobs([60] * 15, 1),
        "blobs_uneven": lambda: blobs([900, 300, 80, 50], 1),
        "blobs_and_noise": noisy_blobs,
        "two_moons": lambda: datasets.make_moons(1000, noise=0.06, random_state=0),
        "customers": customers,
        "uniform_2": lambda: uniform(2),
        "uniform_10": lambda: uniform(10),
        "digits_edges": lambda: edges("data=digits"),
    }
    if folder is not None:
        known["mnist_10k"] = lambda: pictures(folder, "MNIST", ("t10k",))
        known["mnist_70k"] = lambda: pictures(folder, "MNIST", ("train", "t10k"))
        known["fashion_10k"] = lambda: pictures(folder, "FashionMNIST", ("t10k",))
        known["mnist_10k_edges"] = lambda: edges("data=mnist", "data.images=test", f"data.root={folder}")
        known["fashion_10k_edges"] = lambda: edges("data=fashion_mnist", "data.images=test", f"data.root={folder}")
    return known


def edges(*typed: str) -> Samples:
    """Return the embeddings of images by their edges, and classes; the words choose the data."""
    cfg = compose_checked(["method=gradients", *typed]).cfg
    assert cfg is not None
    data = instantiate_node(cfg.data)
    data.setup()
    options = {key: value for key, value in cfg.net.items() if not str(key).startswith("_")}
    net = Gradients(data.input_shape, **options)
    net.measure(data)
    part = data.part("fit")
    x = torch.from_numpy(data.prepared("fit", np.arange(len(part)))).reshape(-1, *net.input_shape)
    with torch.no_grad():
        parts = [x[start : start + 1000] for start in range(0, len(x), 1000)]
        return np.concatenate([net.encode(some).numpy() for some in parts]), part.labels


def code(run: Path, folder: Path) -> Samples:
    """Return the embeddings of pictures by the net of a run on 10,000 test images."""
    from deepcluster_pl import load_model

    data = OmegaConf.load(run / "config" / "config.yaml").data.name
    x, y = pictures(folder, "FashionMNIST" if "fashion" in data else "MNIST", ("t10k",))
    net = load_model(run / "model").net.eval()
    raw = torch.from_numpy((x * 255).round().astype(np.uint8)).reshape(-1, *net.input_shape)
    with torch.no_grad():
        parts = [raw[start : start + 1000] for start in range(0, len(raw), 1000)]
        return np.concatenate([net.encode(net.prepare(part)).numpy() for part in parts]), y


def line(name: str, samples: Samples, seed: int) -> dict[str, Any]:
    """Return the estimate of one seed beside the number of classes, and its seconds."""
    node: Any = OmegaConf.to_container(OmegaConf.load(ROOT / "conf" / "config.yaml"))
    keys = {key: value for key, value in node["choose"].items() if not key.startswith("_")}
    x: Tensor = torch.from_numpy(np.ascontiguousarray(samples[0])).float()
    began, used = time.monotonic(), time.process_time()
    found = SplitHalfStability(**{**keys, "random_state": seed}).find(x)
    return {
        "data": name, "n": len(x), "features": x.shape[1], "classes": len(np.unique(samples[1])), "seed": seed,
        "found": found.n_clusters, "coarse": found.coarse, "fine": found.fine, "faint": found.is_faint,
        "agreement": round(found.evidence(found.n_clusters)[0], 3),
        "reference": round(found.evidence(found.n_clusters)[1], 3),
        "seconds": round(time.monotonic() - began, 1), "cpu_seconds": round(time.process_time() - used, 1),
        "threads": torch.get_num_threads(), "commit": commit(),
        "clarity": [round(value, 3) for value in found.clarity], "overlap": [round(value, 3) for value in found.worst],
    }  # fmt: skip


def table(lines: list[dict[str, Any]]) -> str:
    """Return the recorded lines as a table of Markdown, one row for each data set."""
    rows = ["| data | classes | found by seeds | levels | CPU seconds |", "|---|---|---|---|---|"]
    for name in dict.fromkeys(each["data"] for each in lines):
        some = [each for each in lines if each["data"] == name]
        found = ", ".join("none" if each["faint"] else str(each["found"]) for each in some)
        levels = ", ".join(
            "/".join(str(k) for k in (each["coarse"], each["found"], each["fine"]) if k)
            if each["coarse"] or each["fine"]
            else "–"
            for each in some
        )
        classes = some[0]["classes"] if some[0]["classes"] > 1 else "no groups"
        longest = max(each["cpu_seconds"] for each in some)
        rows.append(
            f"| {name}, {some[0]['n']:,} x {some[0]['features']} | {classes} | {found} | {levels} | {longest} |"
        )
    return "\n".join([*rows, ""])


def main() -> int:
    """Print the lines, or the table of recorded ones."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = os.environ.get("DEEPCLUSTER_TEST_DATA")
    parser.add_argument("--data", type=Path, default=Path(default) if default else None, help="folder with MNIST/raw")
    parser.add_argument("--sets", nargs="+", help="names; all by default")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--codes", nargs="*", default=[], help="<name>=<run folder>: embeddings instead of the input")
    parser.add_argument("--table", action="store_true", help="write the table of the page from the recorded lines")
    parser.add_argument("--check", action="store_true", help="with --table: change nothing, exit code 1 if it differs")
    chosen = parser.parse_args()
    if chosen.table:
        return write_tables(PAGE, "n_clusters", {"table": table(recorded(LINES))}, chosen.check)
    known = sets(chosen.data)
    made = {name: known[name] for name in (chosen.sets or ([] if chosen.codes else known))}
    for text in chosen.codes:
        name, run = text.split("=", 1)
        made[name] = functools.partial(code, Path(run), chosen.data)
    for name, make in made.items():
        samples = make()
        for seed in chosen.seeds:
            print(json.dumps(line(name, samples, seed)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
