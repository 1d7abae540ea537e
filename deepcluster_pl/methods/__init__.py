"""Clustering methods, one file for each, and what all of them share: the interface, prediction, saving, export."""

from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.dcn import DCN
from deepcluster_pl.methods.dec import DEC
from deepcluster_pl.methods.dkm import DKM
from deepcluster_pl.methods.idec import IDEC
from deepcluster_pl.methods.predictor import Predictor
from deepcluster_pl.methods.scan import SCAN
from deepcluster_pl.methods.serialization import load_features, load_model, save_model
from deepcluster_pl.methods.shallow import ShallowClustering
from deepcluster_pl.methods.step import LossModule
from deepcluster_pl.methods.student import Student
from deepcluster_pl.methods.vade import VaDE

__all__ = [
    "DCN",
    "DEC",
    "DKM",
    "IDEC",
    "SCAN",
    "ClusteringModule",
    "LossModule",
    "Predictor",
    "ShallowClustering",
    "Student",
    "VaDE",
    "load_features",
    "load_model",
    "save_model",
]
