"""Numbers about a partition: scores, baselines, predictions, and places on a map."""

from deepcluster_pl.evaluation.baselines import Baselines, baseline_partitions
from deepcluster_pl.evaluation.candidate_choice import CandidateCriteria, CandidateRanking, rank_candidates
from deepcluster_pl.evaluation.label_free import Comparison, compare_partitions
from deepcluster_pl.evaluation.metrics import LABEL_SCORES, known_labels, label_scores, separation_scores, size_scores
from deepcluster_pl.evaluation.predictions import (
    Partition,
    Prediction,
    Predictions,
    assign_all,
    embed_all,
    partition_from,
)
from deepcluster_pl.evaluation.projection import Map, Places, check_map, map_coordinates

__all__ = [
    "LABEL_SCORES",
    "Baselines",
    "CandidateCriteria",
    "CandidateRanking",
    "Comparison",
    "Map",
    "Partition",
    "Places",
    "Prediction",
    "Predictions",
    "assign_all",
    "baseline_partitions",
    "check_map",
    "compare_partitions",
    "embed_all",
    "known_labels",
    "label_scores",
    "map_coordinates",
    "partition_from",
    "rank_candidates",
    "separation_scores",
    "size_scores",
]
