"""The recipe that is several recipes: it is replaced by the candidate that is chosen, and makes no cluster itself."""

from __future__ import annotations

from typing import NoReturn

from torch import Tensor

from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.ranges import Count

AUTO_METHOD = "auto"


class Auto(ClusteringModule):
    """Name and number of clusters of a run that tries several methods; `runs/candidates.py` carries them out.

    The model of such a run is that of the method that was chosen.

    Args:
        net: identity.
        name: names the run folder.
        n_clusters: K of every candidate.
    """

    distributable = True
    learns = False

    def __init__(self, net: Autoencoder, name: str, n_clusters: Count) -> None:
        super().__init__(net, name, n_clusters)

    def assign(self, z: Tensor) -> NoReturn:
        """Refuse, because only a candidate has clusters."""
        raise NotImplementedError("method=auto assigns through the candidate it chose")
