"""Record the labels of short runs of every method, and compare them with those recorded by another version.

    python -m scripts.checks.record_labels before.json          # of the version to compare with
    python -m scripts.checks.record_labels after.json --compare before.json

A change of the code that is no change of the mathematics leaves every label as it was, on one machine with the same
versions of PyTorch and scikit-learn. Exit code 1 where a run's labels differ.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SHORT = ("pretrain.max_epochs=3", "fit.max_steps=42", "callbacks.target_refresh.update_interval=14", "baselines=none")
START_ONLY = ("pretrain.max_epochs=3", "baselines=none")
RUNS: dict[str, tuple[str, ...]] = {
    "kmeans": ("method=kmeans", "baselines=none"),
    "gmm": ("method=gmm", "baselines=none"),
    "pca_gmm": ("method=pca_gmm", "baselines=none"),
    "graph": ("method=graph", "baselines=none"),
    "communities": ("method=communities", "baselines=none"),
    "gradients": ("method=gradients", "baselines=none"),
    "ae_kmeans": ("method=ae_kmeans", *START_ONLY),
    "ae_gmm": ("method=ae_gmm", *START_ONLY),
    "n2d": ("method=n2d", *START_ONLY),
    "dec": ("method=dec", *SHORT),
    "idec": ("method=idec", *SHORT),
    "dcn": ("method=dcn", *SHORT),
    "dkm": ("method=dkm", *SHORT),
    "vade": ("method=vade", *SHORT),
    "scan": ("method=scan", *SHORT),
    "augmented": ("method=da/idec", *SHORT),
    "augmented_scan": ("method=scan", "augment=affine", *SHORT),
    "conv": ("method=idec", "net=conv_autoencoder", *SHORT),
    "layerwise": ("method=dec", "pretrain=layerwise", *SHORT, "pretrain.module.epochs_per_layer=1",
                  "pretrain.max_epochs=6"),
    "brb": ("method=dec", "callbacks=brb", *SHORT, "callbacks.weight_reset.interval=2"),
    "agreed_whitened": ("method=dec", "start=agreed", "whiten=1", "start.n_restarts=4", *SHORT),
    "student": ("method=kmeans", "student=conv", "student.rounds=2", "student.least_steps=40", "baselines=none"),
    "holdout": ("method=dec", "data.holdout=0.2", "data.subset.size=900", *SHORT),
    "tried": ("auto.candidates=[kmeans,pca_gmm,graph]", "baselines=none"),
    "auto": ("method=ae_kmeans", "n_clusters=auto", "data=wine", *START_ONLY),
    "accumulated": ("method=dcn", "++trainer.accumulate_grad_batches=2", *SHORT),
}  # fmt: skip
FOUR = ["fit.max_steps=42", "callbacks.target_refresh.update_interval=14", "pretrain.max_epochs=3"]


def main() -> None:
    """Run everything, one after the other, and write or compare what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("to", type=Path, help="JSON file to write")
    parser.add_argument("--compare", type=Path, help="JSON file of another version")
    parser.add_argument("--only", nargs="*", help="names of runs")
    options = parser.parse_args()
    before = json.loads(options.compare.read_text(encoding="utf-8")) if options.compare else None
    names = options.only or [*RUNS, "resumed", "pictures", "estimator"]
    found: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            found[name] = make(Path(scratch), name)
            options.to.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            differs = before is not None and found[name] != before.get(name)
            was = f" differs: was {before.get(name)}, is {found[name]}" if before and differs else ""
            print(f"{name}{was}", flush=True)
    if before is not None:
        same = sum(found[name] == before.get(name) for name in names)
        print(f"{same} of {len(names)} runs have the labels they had")
        sys.exit(same < len(names))


def make(root: Path, name: str) -> dict[str, object]:
    """Return the record of one run by its name."""
    if name == "estimator":
        return estimator()
    others = {"resumed": resumed, "pictures": pictures}
    return labels_of(others[name](root) if name in others else run(root, name, *RUNS[name]))


def run(root: Path, name: str, *overrides: str) -> Path:
    """Carry out one run in a folder of its own; return the folder."""
    folder = root / name
    where = () if any(text.startswith("resume=") for text in overrides) else (f"hydra.run.dir={folder}",)
    command = [sys.executable, "-m", "deepcluster_pl", *overrides]
    command += [*where, "trainer.accelerator=cpu", "trainer.enable_progress_bar=false"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return folder


def resumed(root: Path) -> Path:
    """Carry out a run whose fit was lost, by `resume=`; return its folder."""
    whole, cut = run(root, "whole", "method=dec", *SHORT), root / "resumed"
    shutil.copytree(whole, cut)
    for lost in ("scores.json", "assignments.csv", "checkpoints/final.ckpt", "checkpoints/last.ckpt"):
        (cut / lost).unlink(missing_ok=True)
    (cut / "checkpoints" / "previous.ckpt").unlink(missing_ok=True)
    return run(root, "resumed", f"resume={cut}")


def pictures(root: Path) -> Path:
    """Carry out a run on drawn pictures: three colors with stripes of three widths."""
    from PIL import Image

    random, folder = np.random.default_rng(0), root / "library"
    folder.mkdir()
    for i in range(60):
        pixels = random.integers(0, 60, (48, 64, 3))
        pixels[..., i % 3] += 150
        pixels[:: 2 + 3 * (i % 3)] //= 2
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i:02d}.png")
    sources = ("data=images", f"data.root={folder}", "method=photos/scan", "n_clusters=3", "data.copies=2")
    return run(root, "pictures", *sources, "fit.max_steps=42", "baselines=none")


def labels_of(folder: Path) -> dict[str, object]:
    """Return the number of samples and a hash of their clusters, in the order of their ids."""
    with (folder / "assignments.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted((Path(row["id"]).name, row["part"], int(row["cluster"])) for row in csv.DictReader(file))
    return record([cluster for _, _, cluster in rows])


def estimator() -> dict[str, object]:
    """Return the record of `DeepClustering` on the digits."""
    from sklearn.datasets import load_digits

    from deepcluster_pl import DeepClustering

    fitted = DeepClustering("idec", n_clusters=10, random_state=0, accelerator="cpu", overrides=FOUR)
    return record(fitted.fit_predict(load_digits().data).tolist())


def record(clusters: list[int]) -> dict[str, object]:
    """Return the record of a partition: its size, the clusters' sizes, a hash of all labels in order."""
    sizes = np.bincount(clusters).tolist()
    digest = hashlib.sha256(json.dumps([int(cluster) for cluster in clusters]).encode()).hexdigest()[:16]
    return {"n": len(clusters), "sizes": sizes, "sha256": digest}


if __name__ == "__main__":
    main()
