"""Write report.html and MODEL_CARD.md: the results of a run in files that need nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from numpy.typing import NDArray

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.tables.prepared import describe_columns
from deepcluster_pl.evaluation.levels import Levels
from deepcluster_pl.evaluation.metrics import LABEL_SCORES
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.evaluation.projection import NAMES, Map
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.reporting.candidate_table import candidate_rows, columns_of, sureness_text
from deepcluster_pl.reporting.cells import part_titles
from deepcluster_pl.reporting.confusion import confusion_of_run
from deepcluster_pl.reporting.console_summary import summary_rows
from deepcluster_pl.reporting.figures.curves import panels
from deepcluster_pl.reporting.html_report.cards import make_cards
from deepcluster_pl.reporting.html_report.level_groups import describe_levels, level_facts, make_part_cards
from deepcluster_pl.reporting.html_report.summary_text import comparison_bars, summary_sentences, warning_sentences
from deepcluster_pl.reporting.html_report.svg_charts import draw_line_chart, draw_scatter
from deepcluster_pl.reporting.palette import OUTSIDE, palette
from deepcluster_pl.reporting.printable import markdown_text, printable
from deepcluster_pl.reporting.representatives import DOUBT
from deepcluster_pl.reporting.script_json import script_json
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.csv_logger import Curves, read_curves
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.run_folder import RunFolder

_MOST_POINTS, _MOST_CARDS, _MOST_LABELS, _MOST_CHARACTERS = 3000, 60, 40, 300
_COLUMNS = (
    ("acc", "ACC", "Accuracy: share of samples that match, when each cluster is paired with one label"),
    ("nmi", "NMI", "Normalized mutual information with the labels; 1 is perfect, 0 is chance"),
    ("ari", "ARI", "Adjusted Rand index: pairs of samples on which clusters and labels agree; 0 is chance"),
    (
        "silhouette",
        "Silhouette",
        "How much nearer a sample is to its own cluster than to the next, in the input; -1 to 1",
    ),
    ("davies_bouldin", "Davies-Bouldin", "Width of clusters over their distance, in the input; smaller is better"),
)
_FILES = (
    ("assignments.csv", "the cluster of every sample"), ("groups.csv", "the names of the groups, yours to change"),
    ("levels.json", "coarser and finer groups"), ("candidates.csv", "everything that was tried"),
    ("scores.json", "all scores"), ("model/", "the trained model"),
    ("figures/", "pictures"), ("gallery.html", "all pictures by group"), ("config/config.yaml", "all settings"),
    ("MODEL_CARD.md", "the model in short"),
)  # fmt: skip


@dataclass(frozen=True)
class ReportContent:
    """Everything a report is made from, besides the curves in the run folder.

    Attributes:
        scores: content of scores.json.
        data: clustered data.
        method: trained method.
        predictions: of each part.
        places: point (N, 2) of every fitted sample on the map.
        kind: of map.
        logs: folder of the curves; None = the run folder.
        names: suggested name of each cluster; None where there are none.
        levels: coarser and finer levels of the partition; None where there are none.
    """

    scores: dict[str, Any]
    data: ClusteringData
    method: ClusteringModule
    predictions: Predictions
    places: NDArray[np.float32]
    kind: Map
    logs: RunFolder | None = None
    names: Sequence[str] | None = None
    levels: Levels | None = None


def save_report(folder: Path, content: ReportContent) -> None:
    """Write report.html and MODEL_CARD.md.

    Args:
        folder: run folder; the curves are read from its metrics.csv files.
        content: the results.
    """
    variables = template_variables(folder, content)
    environment = Environment(
        loader=PackageLoader("deepcluster_pl.reporting.html_report"), autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(markdown=markdown_text, printable=printable)
    for template, name in (("report.html", "report.html"), ("model_card.md", "MODEL_CARD.md")):
        with atomic_write(folder / name) as file:
            file.write(environment.get_template(template).render(variables))


def template_variables(folder: Path, content: ReportContent) -> dict[str, Any]:
    """Return all variables of the templates, by name.

    Args:
        folder: run folder.
        content: the results.
    """
    scores, data, fitted = content.scores, content.data, content.predictions["fit"]
    has_labels = scores["fit"]["acc"] is not None
    colors = palette(scores["n_clusters"])
    curves = read_curves((content.logs or RunFolder(folder)).all_metrics)
    changed = curves.get("clusters/changed", {})
    last_changed = changed[max(changed)] if changed else None
    n_doubtful = int((fitted.doubt > DOUBT).sum())
    rows = sample_rows(len(content.places), _MOST_POINTS, scores["seed"])
    ids = [data.part("fit").ids[int(row)] for row in rows]
    cards = make_cards(data, content.method, fitted, colors, scores["seed"])
    groups, apart = ([card for card in cards if (card.number < 0) is outside] for outside in (False, True))
    shown = [*groups[:_MOST_CARDS], *apart]
    cells = None if content.levels is None else content.levels.cells["fit"][rows]
    clusters = fitted.clusters.numpy()[rows]
    bars_title, bars = comparison_bars(scores)
    return {
        "scores": scores,
        "title": f"{data.name}: {scores['n_clusters']} clusters by {scores['method']}",
        "verdict": scores["verdict"],
        "strip": [{"title": card.title, "size": card.size, "color": card.color} for card in cards],
        "bars": bars,
        "bars_title": bars_title,
        "has_gallery": (folder / "gallery.html").exists(),
        "summary": summary_sentences(scores, n_doubtful),
        "warnings": [*warning_sentences(scores, n_doubtful, last_changed), *scores.get("warnings", [])],
        "parts": [part for part in ("fit", "holdout") if scores[part] is not None],
        "columns": [column for column in _COLUMNS if column[0] not in LABEL_SCORES or has_labels],
        "rows": summary_rows(scores),
        "charts": [
            (panel.title, panel.metrics, _curves_chart(curves, panel.metrics, panel.kind == "loss"))
            for panel in panels(curves)
        ],
        "table_lines": [] if data.preparation is None else describe_columns(data.preparation),
        "tried": candidate_rows(scores),
        "sureness": sureness_text(scores["choice"]) if scores.get("choice") else "",
        "tried_columns": columns_of(scores.get("candidates") or []),
        "agreement_chart": _agreement_chart(scores["n_clusters_found"]),
        "map": Markup(draw_scatter(content.places[rows], clusters, ids, [*colors, OUTSIDE], cells)),
        **level_variables(content, colors),
        "n_on_map": len(rows),
        "map_method": NAMES[content.kind],
        "cards": shown,
        "largest": max(card.size for card in shown),
        "names": [name[:_MOST_CHARACTERS] for name in content.names or []],
        "n_cards_left_out": len(cards) - len(shown),
        "confusion": _confusion_table(data, content.predictions),
        "files": [(name, text) for name, text in _FILES if (folder / name).exists() or name == "MODEL_CARD.md"],
    }


def level_variables(content: ReportContent, colors: Sequence[str]) -> dict[str, Any]:
    """Return the variables of the template that are about levels.

    Args:
        content: the results.
        colors: one for each cluster.
    """
    facts = level_facts(content.levels, colors, content.names) if content.levels else None
    if content.levels is None or facts is None:
        return {"levels": None}
    prediction, seed = content.predictions["fit"], content.scores["seed"]
    return {
        "levels": facts,
        "levels_text": describe_levels(content.levels),
        "level_json": script_json(facts),
        "part_cards": make_part_cards(content.data, content.method, prediction, content.levels, colors, seed),
        "part_titles": part_titles(content.levels.cluster_of_cell),
    }


def _curves_chart(curves: Curves, metrics: Sequence[str], log: bool) -> Markup:
    """Return the chart of some metrics, named without their stage."""
    return Markup(draw_line_chart({name.partition("/")[2]: curves[name] for name in metrics}, log))


def _agreement_chart(found: dict[str, Any] | None) -> Markup | None:
    """Return the chart of how far two halves agree on each number of clusters; None where the number was typed."""
    if found is None:
        return None
    series = {name: dict(zip(found["candidates"], found[name], strict=True)) for name in ("agreement", "reference")}
    return Markup(draw_line_chart(series, log=False, over="number of clusters"))


def _confusion_table(data: ClusteringData, predictions: Predictions) -> dict[str, Any] | None:
    """Return the counts of labels in clusters as rows of cells; None without labels, or with too many to read."""
    found = confusion_of_run(data, predictions)
    if found is None or max(found[1].counts.shape) > _MOST_LABELS:
        return None
    part, confusion = found
    rows = [
        (label[:_MOST_CHARACTERS], list(zip(counts.tolist(), shares.tolist(), strict=True)))
        for label, counts, shares in zip(confusion.labels, confusion.counts, confusion.shares, strict=True)
    ]
    return {"part": part, "clusters": confusion.clusters.tolist(), "rows": rows}
