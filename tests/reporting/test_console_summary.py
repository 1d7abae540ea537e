"""The table at the end of a run: no number is cut, however long the titles are."""

from __future__ import annotations

import io

from rich.console import Console

from deepcluster_pl.reporting.console_summary import print_summary


def block(value):
    return {"n": 100_000, "n_empty": 0, "acc": value, "nmi": value, "ari": value}


def test_long_titles_wrap_and_numbers_of_both_parts_stay_whole_in_80_columns():
    both = {"fit": block(0.5321), "holdout": block(0.9678)}
    scores = {
        "method": "gradients", "data": "mnist", "n_clusters": 10, "seed": 0, **both, "start": both, "teacher": both,
        "baselines": {"protocol": {"simple_rows": 10_000}, "kmeans_raw": both, "kmeans_code": both, "pca_gmm": both,
                      "graph": both},
    }  # fmt: skip
    out = io.StringIO()
    print_summary(Console(file=out, width=80), scores)
    printed = out.getvalue()
    assert "…" not in printed
    assert printed.count("0.532") == printed.count("0.968") == 3 * 7
    assert max(len(line) for line in printed.splitlines()) <= 80
