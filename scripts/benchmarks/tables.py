"""Cluster tables of mixed columns whose groups are known, and print a line of JSON for each run.

    python -m scripts.benchmarks.tables error [--seeds 0 1 2] > docs/results/tables/error.jsonl
    python -m scripts.benchmarks.tables n_clusters [--seeds 0 1 2 3 4] > docs/results/tables/n_clusters.jsonl

`error` compares table_error=squared with table_error=mixed for ae_gmm and dec, at the known number of groups.
`n_clusters` runs n_clusters=auto with method=kmeans. Labels are read for the scores only. Each seed draws other tables.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from deepcluster_pl import DeepClustering
from scripts.examples.customers import HEADER, make_customers
from scripts.examples.mixed_tables import MADE

ROWS, ROWS_OF_ERROR, EPOCHS_OF_ERROR = 2000, 1000, 60
SETS = ("customers", *MADE)
_ERROR_METHODS = ("ae_gmm", "dec")


def make_table(name: str, seed: int, n: int = ROWS) -> tuple[pd.DataFrame, Any, int]:
    """Return a table without its groups, the groups, and their number."""
    if name == "customers":
        table = pd.DataFrame(make_customers(n, seed), columns=list(HEADER)).replace("", None)
        for column in ("age", "income", "visits"):
            table[column] = pd.to_numeric(table[column])
        table["joined"] = pd.to_datetime(table["joined"])
        n_groups = 4
    else:
        n_groups, make = MADE[name]
        table = make(n, seed)
    return table.drop(columns="group"), table["group"], n_groups


def run(name: str, seed: int, method: str, n_clusters: int | str, n: int = ROWS, **overrides: Any) -> dict[str, Any]:
    """Cluster a table, and return the settings, the scores and the seconds."""
    table, groups, n_groups = make_table(name, seed, n)
    began = time.process_time()
    model = DeepClustering(method, n_clusters=n_clusters, random_state=seed, overrides=overrides).fit(table)
    return {
        "table": name, "rows": n, "groups": n_groups, "seed": seed, "method": method,
        **{key: value for key, value in overrides.items() if key == "table_error"},
        "found": len(set(model.labels_.tolist())),
        "ari": round(float(adjusted_rand_score(groups, model.labels_)), 4),
        "nmi": round(float(normalized_mutual_info_score(groups, model.labels_)), 4),
        "cpu_seconds": round(time.process_time() - began, 1),
    }  # fmt: skip


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("error", "n_clusters"))
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--method", default="kmeans", help="of n_clusters: kmeans or auto")
    parser.add_argument("--out", type=Path, default=None, help="also append the lines to this file")
    options = parser.parse_args()

    def show(line: dict[str, Any]) -> None:
        text = json.dumps(line)
        print(text, flush=True)
        if options.out:
            with options.out.open("a") as file:
                file.write(text + "\n")

    for name in options.sets:
        for seed in options.seeds:
            if options.what == "n_clusters":
                show(run(name, seed, options.method, "auto"))
                continue
            for error in ("squared", "mixed"):
                with tempfile.TemporaryDirectory() as cache:  # both methods begin with the same pretrained net
                    n_groups = make_table(name, seed)[2]
                    for method in _ERROR_METHODS:
                        shared: dict[str, Any] = {"table_error": error, "pretrained": "auto", "cache_dir": cache}
                        shared["pretrain.max_epochs"] = EPOCHS_OF_ERROR
                        show(run(name, seed, method, n_groups, ROWS_OF_ERROR, **shared))


if __name__ == "__main__":
    main()
