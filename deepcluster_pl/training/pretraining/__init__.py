"""Pretraining of an autoencoder before clustering: one module for each way."""

from deepcluster_pl.training.pretraining.layerwise import LayerwiseDenoising
from deepcluster_pl.training.pretraining.reconstruction import Reconstruction

__all__ = ["LayerwiseDenoising", "Reconstruction"]
