"""Read a run of the command line from Python: scores, assignments, model."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from deepcluster_pl import DeepClustering

with tempfile.TemporaryDirectory() as folder:
    run = Path(folder) / "run"
    typed = [
        "data=wine",
        "method=ae_gmm",
        "n_clusters=3",
        "net.dims=[64,8]",
        "pretrain.max_epochs=30",
        f"hydra.run.dir={run}",
    ]
    subprocess.run([sys.executable, "-m", "deepcluster_pl", *typed], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))
    print(f"silhouette {scores['fit']['silhouette']:.3f}, sizes {scores['fit']['cluster_sizes']}")
    with (run / "assignments.csv").open(newline="", encoding="utf-8") as file:
        doubtful = min(csv.DictReader(file), key=lambda row: float(row["confidence"]))
    print(f"least certain wine: {doubtful['id']}, cluster {doubtful['cluster']}, confidence {doubtful['confidence']}")

    model = DeepClustering.load(run)
    print("ready for new samples of", model.n_features_in_, "features")
