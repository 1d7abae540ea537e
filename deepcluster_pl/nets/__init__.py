"""Nets that turn samples into embeddings, and back."""

from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.nets.block_pca import PCA
from deepcluster_pl.nets.compile import compile_net
from deepcluster_pl.nets.conv import ConvAutoencoder
from deepcluster_pl.nets.conv_encoder import ConvEncoder
from deepcluster_pl.nets.embedding import embed, embed_part
from deepcluster_pl.nets.identity import Identity
from deepcluster_pl.nets.mlp import MLPAutoencoder
from deepcluster_pl.nets.mlp_encoder import MLPEncoder

__all__ = [
    "PCA",
    "Autoencoder",
    "ConvAutoencoder",
    "ConvEncoder",
    "Identity",
    "MLPAutoencoder",
    "MLPEncoder",
    "compile_net",
    "embed",
    "embed_part",
]
