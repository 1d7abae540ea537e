"""report.html and MODEL_CARD.md: what a run has to show, in one file that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from numpy.typing import NDArray

from deepcluster_pl.data.datamodule import ClusteringData, PartName
from deepcluster_pl.evaluation.metrics import LABEL_SCORES, known_labels
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.evaluation.projection import NAMES, Map
from deepcluster_pl.functional import contingency
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.reporting.console_summary import summary_rows
from deepcluster_pl.reporting.figures.confusion import paired_columns
from deepcluster_pl.reporting.figures.curves import panels
from deepcluster_pl.reporting.html_report import summary_text
from deepcluster_pl.reporting.html_report.cards import cards
from deepcluster_pl.reporting.html_report.representatives import DOUBT
from deepcluster_pl.reporting.html_report.svg_charts import line_chart, scatter
from deepcluster_pl.reporting.palette import palette
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.csv_logger import Curves, read_curves
from deepcluster_pl.utils.random import sample_rows

_MAP_POINTS, _MOST_CARDS, _MOST_LABELS = 3000, 60, 40
_COLUMNS = (
    ("acc", "ACC", "Share of samples right, each cluster named after its best label"),
    ("nmi", "NMI", "Normalized mutual information with the labels; 1 is perfect, 0 is chance"),
    ("ari", "ARI", "Adjusted Rand index: pairs that belong together; 0 is chance"),
    (
        "silhouette",
        "Silhouette",
        "How much nearer a sample is to its own group than to the next, in the input; -1 to 1",
    ),
    ("davies_bouldin", "Davies-Bouldin", "Width of groups over their distance, in the input; the smaller the better"),
)
_FILES = (
    ("assignments.csv", "the cluster of every sample"), ("scores.json", "all scores"), ("model/", "the trained model"),
    ("figures/", "pictures"), ("gallery.html", "all pictures in their groups"), ("config/config.yaml", "all settings"),
    ("MODEL_CARD.md", "the model in short"),
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the page is made of.

    Attributes:
        scores: content of scores.json.
        data: what was clustered.
        method: as trained.
        predictions: its last word.
        places: point (N, 2) of every fitted sample on the map.
        kind: of map.
    """

    scores: dict[str, Any]
    data: ClusteringData
    method: ClusteringModule
    predictions: Predictions
    places: NDArray[np.float32]
    kind: Map


def save_report(folder: Path, told: Told) -> None:
    """Write both pages into a run's folder."""
    facts = gathered(folder, told)
    environment = Environment(
        loader=PackageLoader("deepcluster_pl.reporting.html_report"), autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    for template, name in (("report.html", "report.html"), ("model_card.md", "MODEL_CARD.md")):
        with atomic_write(folder / name) as file:
            file.write(environment.get_template(template).render(facts))


def gathered(folder: Path, told: Told) -> dict[str, Any]:
    """All that the templates ask for, by name."""
    scores, data, fitted = told.scores, told.data, told.predictions["fit"]
    colors = palette(scores["n_clusters"])
    n_doubtful = int((fitted.doubt > DOUBT).sum())
    curves = read_curves([folder / stage / "metrics.csv" for stage in ("pretrain", "fit")])
    changed = curves.get("clusters/changed", {})
    rows = sample_rows(len(told.places), _MAP_POINTS, scores["seed"])
    ids = data.part("fit").ids
    found = cards(data, told.method, fitted, colors, scores["seed"])
    return {
        "scores": scores,
        "title": f"{data.name}: {scores['n_clusters']} clusters by {scores['method']}",
        "summary": summary_text.summary(scores, n_doubtful),
        "warnings": summary_text.warnings(scores, n_doubtful, changed[max(changed)] if changed else None),
        "parts": [part for part in ("fit", "holdout") if scores[part] is not None],
        "columns": [column for column in _COLUMNS if column[0] not in LABEL_SCORES or scores["fit"]["acc"] is not None],
        "rows": summary_rows(scores),
        "charts": [
            (title, names, Markup(line_chart(_short(curves, names), title.startswith("Loss"))))
            for title, names in panels(curves).items()
        ],
        "number": number_chart(scores["n_clusters_found"]),
        "map": Markup(scatter(told.places[rows], fitted.clusters.numpy()[rows], [ids[int(i)] for i in rows], colors)),
        "n_map": len(rows),
        "map_by": NAMES[told.kind],
        "cards": found[:_MOST_CARDS],
        "left_out": found[_MOST_CARDS:],
        "confusion": confusion(data, told.predictions),
        "files": [(name, text) for name, text in _FILES if (folder / name).exists() or name == "MODEL_CARD.md"],
    }  # fmt: skip


def number_chart(found: dict[str, Any] | None) -> Markup | None:
    """How far halves agree on each number of clusters, and would without groups; None where the number was typed."""
    if found is None:
        return None
    series = {name: dict(zip(found["candidates"], found[name], strict=True)) for name in ("agreement", "reference")}
    return Markup(line_chart(series, log=False, over="number of groups"))


def confusion(data: ClusteringData, predictions: Predictions) -> dict[str, Any] | None:
    """Counts of labels (rows) in clusters (columns, as accuracy pairs them), of the held-out part if there is one.

    None where there are no labels, or too many to read.
    """
    name: PartName = "holdout" if "holdout" in data.parts else "fit"
    part = data.part(name)
    if part.labels is None or not (known := known_labels(part.labels)).any():
        return None
    labels = part.labels[known].astype(str)
    clusters = predictions[name].clusters.numpy()[known]
    table = contingency(labels, clusters)
    if max(table.shape) > _MOST_LABELS:
        return None
    order = paired_columns(table)
    shares = table / table.sum(axis=1, keepdims=True)
    return {
        "part": name,
        "clusters": np.unique(clusters)[order].tolist(),
        "rows": [
            (str(label), [(int(counts[k]), float(shares[i, k])) for k in order])
            for i, (label, counts) in enumerate(zip(np.unique(labels), table, strict=True))
        ],
    }


def _short(curves: Curves, names: list[str]) -> Curves:
    """Some curves, named without their stage."""
    return {name.partition("/")[2]: curves[name] for name in names}
