"""Score what a training ended with, and write its files into the run folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from deepcluster_pl.config.nodes import to_plain
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.evaluation.baselines import Baselines, baseline_partitions, simple_partitions
from deepcluster_pl.evaluation.facets import Facets, find_facets
from deepcluster_pl.evaluation.find_levels import make_levels
from deepcluster_pl.evaluation.group_names import save_group_names
from deepcluster_pl.evaluation.naming import suggest_names
from deepcluster_pl.evaluation.predictions import Partition, Predictions, partition_from
from deepcluster_pl.evaluation.projection import NAMES, Map, Places, map_coordinates
from deepcluster_pl.evaluation.row_criteria import judged_neighborhood, row_criteria
from deepcluster_pl.evaluation.scoring import Scorer, Scores, protocol, save_assignments, save_scores
from deepcluster_pl.evaluation.uneven_groups import describe_halved, describe_sizes, find_halved
from deepcluster_pl.methods.serialization import save_model
from deepcluster_pl.reporting.candidate_table import save_candidates
from deepcluster_pl.reporting.figures import save_figures
from deepcluster_pl.reporting.gallery import save_gallery
from deepcluster_pl.reporting.html_report import ReportContent, save_report
from deepcluster_pl.reporting.palette import palette
from deepcluster_pl.reporting.tensorboard import save_tensorboard
from deepcluster_pl.runs.conclusion import with_method
from deepcluster_pl.runs.trained import Trained
from deepcluster_pl.utils.provenance import machine, versions
from deepcluster_pl.utils.run_folder import RunFolder
from deepcluster_pl.utils.run_warnings import RunWarnings


def evaluate(trained: Trained, command: str, code_version: str | None) -> Scores:
    """Score the final partition, the initial one and the baselines.

    Args:
        trained: a training that has ended.
        command: the command as typed, for the record.
        code_version: commit of the package, if known.

    Returns:
        Content of scores.json.
    """
    cfg, data, teacher = trained.cfg, trained.data, trained.teacher
    method = teacher.method if teacher else trained.method  # the one that embeddings and initialization belong to
    kmeans = Baselines(cfg.baselines, cfg.n_clusters, cfg.seed, Path(cfg.cache_dir).expanduser(), trained.warnings)
    known = trained.choice.partitions if trained.choice else {}
    on_input: Partition | None
    on_embeddings: Partition | None
    if "kmeans" in known and cfg.baselines != "none":
        on_input, on_embeddings = known["kmeans"], None
    else:
        on_input, on_embeddings = baseline_partitions(
            kmeans, data, method, trained.clusterer, trained.embeddings, trained.started
        )
    simple = simple_partitions(kmeans, data, method, trained.clusterer, known)
    scorer = Scorer(data, cfg.n_clusters, cfg.seed, trained.embeddings["fit"])
    partition = partition_from(trained.predictions)
    final = scorer.blocks(partition)
    with trained.warnings.attempt("the search for halved groups"):
        warn_of_uneven_groups(trained, partition, {**simple, "kmeans": on_input}, command)
    return Scores(
        data=data.name,
        protocol=protocol(data),
        versions=versions(),
        method=trained.name,
        seed=cfg.seed,
        n_clusters=cfg.n_clusters,
        n_clusters_found=asdict(trained.estimate) if trained.estimate else None,
        kept=trained.guarded.kept if trained.guarded else None,
        guard=trained.guarded.record() if trained.guarded else None,
        stopped=trained.stopped,
        steps=trained.steps,
        seconds=trained.seconds,
        machine=machine(trained.device, trained.precision, trained.world_size),
        command=command,
        commit=code_version,
        published=(to_plain(cfg)["published"] or {}).get(method.name),
        fit=final["fit"],
        holdout=final["holdout"],
        start=scorer.blocks(trained.started),
        teacher=scorer.blocks(partition_from(teacher.predictions)) if teacher else None,
        baselines={
            "protocol": kmeans.describe(len(data.part("fit"))),
            "kmeans_raw": scorer.blocks(on_input),
            "kmeans_code": scorer.blocks(on_embeddings),
            **{name: scorer.blocks(partition) for name, partition in simple.items()},
        },
        candidates=trained.choice.candidates if trained.choice else None,
        choice=trained.choice.summary() if trained.choice else None,
        criteria=row_criteria(
            trained.choice.neighborhood if trained.choice else judged_neighborhood(data, cfg.seed),
            {
                "kmeans_raw": on_input,
                "kmeans_code": on_embeddings,
                **simple,
                "start": trained.started,
                "method": partition,
            },
            cfg.n_clusters,
        ),
        outliers=trained.outliers.record(scorer, partition) if trained.outliers else None,
        warnings=list(trained.warnings.texts),
    )


def warn_of_uneven_groups(
    trained: Trained, partition: Partition, simple: dict[str, Partition | None], command: str
) -> None:
    """Add a warning where a large group seems to be cut in two, or sizes are very uneven.

    Args:
        trained: a training that has ended.
        partition: its result.
        simple: partitions of simple methods, by the name of their recipe.
        command: the command as typed.
    """
    halved = find_halved(trained.data, partition, simple, trained.cfg.seed)
    if halved:
        other = with_method(command, halved.whole) if halved.whole else None
        asks_for_even = trained.cfg.method.get("sizes") == "even"
        if asks_for_even and find_halved(trained.data, trained.started, {}, trained.cfg.seed) is None:
            other = "method.sizes=start, since the initial clusters keep that group whole"
        trained.warnings.add(describe_halved(halved, other), lasts=False)
    elif text := describe_sizes(np.bincount(partition["fit"][partition["fit"] >= 0]).tolist()):
        trained.warnings.add(text, lasts=False)


def write_results(folder: RunFolder, trained: Trained, scores: dict[str, Any]) -> None:
    """Write model, assignments and scores into a run folder, then figures and pages.

    A figure or a page that fails is a warning on the console and in scores.json, since the scores do not depend on it.

    Args:
        folder: the run folder.
        trained: a training that has ended.
        scores: content of scores.json; its `warnings` are filled in here.

    Raises:
        UserError: model, assignments or scores cannot be written.
    """
    cfg, data, method, predictions = trained.cfg, trained.data, trained.method, trained.shown
    save_model(method, trained.description(), folder.model)
    kind, places = _map_of(predictions, cfg.map, cfg.seed, trained.warnings)
    warnings, names = trained.warnings, None
    with warnings.attempt("names of groups"):
        names = suggest_names(data, predictions, cfg.n_clusters)
    nearest = partition_from(trained.predictions) if trained.outliers else None
    facets = Facets()
    if isinstance(data, ImageFolder):
        with warnings.attempt("facets of pictures"):
            facets = find_facets(data, list(predictions))
    save_assignments(folder.assignments, data, predictions, places, names, nearest, facets.columns)
    if names and data.preparation is not None:
        save_group_names(folder.groups, names, scores["fit"]["cluster_sizes"])
    levels = None
    with warnings.attempt(folder.levels.name):
        coarse = trained.estimate.coarse if trained.estimate else None
        levels = make_levels(predictions, cfg.n_clusters, cfg.seed, coarse)
        levels.save(folder.levels)
    scores["warnings"] = written = list(warnings.texts)
    if trained.choice:
        save_candidates(folder.candidate_table, trained.choice.candidates)
    save_scores(folder.scores, scores)
    # From here on nothing ends the run
    logs = trained.choice.folder if trained.choice else folder
    save_figures(folder.path, data, method, predictions, places["fit"], kind, warnings, logs)
    if trained.uses_tensorboard:
        with warnings.attempt(f"{folder.tensorboard.name}/"):
            save_tensorboard(folder.path, data, predictions["fit"], cfg.seed)
    if isinstance(data, ImageFolder):
        with warnings.attempt(folder.gallery.name):
            title = f"{data.name}: {cfg.n_clusters} groups"
            colors, lines = palette(cfg.n_clusters), facets.lines({part: data.part(part).ids for part in predictions})
            save_gallery(folder.path, data, predictions, places, colors, title, names, levels, facets.chips, lines)
    scores["warnings"] = list(warnings.texts)
    with warnings.attempt(folder.report.name):
        content = ReportContent(scores, data, method, predictions, places["fit"], kind, logs, names, levels)
        save_report(folder.path, content)
    if warnings.texts != written:
        scores["warnings"] = list(warnings.texts)
        with warnings.attempt(f"the list of warnings in {folder.scores.name}"):
            save_scores(folder.scores, scores)


def _map_of(predictions: Predictions, kind: Map, seed: int, warnings: RunWarnings) -> tuple[Map, Places]:
    """Return the map that was asked for; where UMAP fails, the map by PCA, with a warning."""
    if kind != "pca":
        with warnings.attempt(f"the map by {NAMES[kind]}"):
            return kind, map_coordinates(predictions, kind, seed)
    return "pca", map_coordinates(predictions, "pca", seed)
