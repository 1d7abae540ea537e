"""What a training comes to, and what is left of it in a run's folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from torch import Tensor

from deepcluster_pl.config.validation import plain
from deepcluster_pl.data.datamodule import ClusteringData, PartName
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.evaluation import scoring as results
from deepcluster_pl.evaluation.baselines import Baselines, baseline_partitions
from deepcluster_pl.evaluation.predictions import Partition, Predictions, partition_from
from deepcluster_pl.evaluation.projection import map_coordinates
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.n_clusters import ClusterNumberEstimate
from deepcluster_pl.methods.serialization import save_model
from deepcluster_pl.reporting.console_summary import print_summary
from deepcluster_pl.reporting.figures import save_figures
from deepcluster_pl.reporting.gallery import save_gallery
from deepcluster_pl.reporting.html_report import Told, save_report
from deepcluster_pl.reporting.palette import palette
from deepcluster_pl.reporting.tensorboard import save_tensorboard
from deepcluster_pl.runs.trainer import Workshop


@dataclass(frozen=True)
class Trained:
    """A training that has ended.

    Attributes:
        cfg: config as carried out: `n_clusters` is a number.
        number: what speaks for that number, where it was found; None where it was typed.
        data: what was clustered.
        method: as trained.
        clusterer: the start's; None where the start changed the code, so that its partition is none of `codes`.
        codes: pretrained embeddings (N, D) of each part, from before the start.
        started: the start's partition.
        predictions: the method's last word.
        ended: `stopped` and `steps` of the fit.
    """

    cfg: DictConfig
    number: ClusterNumberEstimate | None
    data: ClusteringData
    method: ClusteringModule
    clusterer: Any
    codes: dict[PartName, Tensor]
    started: Partition
    predictions: Predictions
    ended: dict[str, Any]


def leave(shop: Workshop, trained: Trained, command: str, code: str | None) -> dict[str, Any]:
    """Write the model, assignments, figures and scores; return the content of scores.json.

    Args:
        shop: whose folder and seconds.
        trained: what there is to tell.
        command: what the user typed.
        code: commit of the package, if known.
    """
    cfg, folder, console = trained.cfg, shop.folder, shop.console
    data, method, predictions = trained.data, trained.method, trained.predictions
    features, part = plain(cfg.data).get("features"), data.part("fit")
    samples = {"dtype": str(part.dtype), "feature_names": part.feature_names}
    save_model(method, plain(cfg.net), plain(cfg.method), features, folder / "model", samples)
    places = map_coordinates(predictions, cfg.map, cfg.seed)
    results.save_assignments(folder, data, predictions, places)
    save_figures(folder, data, method, predictions, places["fit"], cfg.map)
    if shop.make_loggers.get("tensorboard") is not None:
        save_tensorboard(folder, data, predictions["fit"], cfg.seed)
    k_means = Baselines(cfg.baselines, cfg.n_clusters, cfg.seed, Path(cfg.cache_dir).expanduser())
    raw, coded = baseline_partitions(k_means, data, method, trained.clusterer, trained.codes, trained.started)
    scorer = results.Scorer(data, cfg.n_clusters, cfg.seed, trained.codes["fit"])
    scores = results.compose(
        {"method": method.name, "seed": cfg.seed, "n_clusters": cfg.n_clusters,
         "n_clusters_found": asdict(trained.number) if trained.number else None, **trained.ended},
        {"seconds": shop.seconds, "machine": shop.machine(), "command": command, "commit": code,
         "published": (plain(cfg)["published"] or {}).get(method.name)},
        data, scorer, partition_from(predictions), trained.started,
        {"protocol": k_means.describe(len(data.part("fit"))), "kmeans_raw": raw, "kmeans_code": coded},
    )  # fmt: skip
    results.save_scores(folder, scores)
    if isinstance(data, ImageFolder):
        title = f"{data.name}: {cfg.n_clusters} groups"
        save_gallery(folder, data, predictions, places, palette(cfg.n_clusters), title)
    save_report(folder, Told(scores, data, method, predictions, places["fit"], cfg.map))
    print_summary(console, scores)
    console.print(f"everything is in {folder}", highlight=False, soft_wrap=True)
    return scores
