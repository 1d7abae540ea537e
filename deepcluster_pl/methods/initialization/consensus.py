"""Restarts of a clusterer, of which the one that agrees most with all others speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional import adjusted_rand_indices
from deepcluster_pl.utils.ranges import NonNegativeInt


class ConsensusRestarts:
    """Of several restarts, the partition with the largest mean adjusted Rand index with all others.

    The usual choice is the restart with the best criterion. On a deep code the lowest inertia often belongs to a
    partition that hardly any restart finds, while what many restarts find is evidence without labels. The choice is
    the median partition among those found ("best of k"; Filkov, Skiena 2004). Where several agree equally, such as
    restarts that found the same groups, the clusterer's own criterion decides.

    It is used as scikit-learn's clusterers are. After `fit_predict` it has all fitted attributes of the chosen restart
    (`labels_`, `cluster_centers_` or `means_`, `weights_`, `precisions_cholesky_`, …) and those below.

    Args:
        clusterer: makes a clusterer, or mixture, from its `random_state`.
        n_restarts: R.
        random_state: decides the random states of the restarts.

    Attributes:
        covariance_type: the mixture's own; absent where the clusterer is not a mixture.
        agreement_: mean adjusted Rand index (R,) of each restart with the others.
        criterion_: lower bound of the log-likelihood (R,), or negative inertia: larger is better; zeros where the
            clusterer has neither.
    """

    def __init__(
        self,
        clusterer: Callable[..., Any],
        n_restarts: Annotated[int, Ge(2)],
        random_state: NonNegativeInt,
    ) -> None:
        seeds = np.random.default_rng(random_state).integers(2**31, size=n_restarts)
        try:
            self._restarts = [clusterer(random_state=int(seed)) for seed in seeds]
        except TypeError as error:
            raise UserError(
                f"start.clusterer: {error}; restarts differ by random_state, so use one that takes it"
            ) from error
        if hasattr(self._restarts[0], "covariance_type"):
            self.covariance_type = self._restarts[0].covariance_type

    def fit_predict(self, data: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
        """Cluster (N,) of each sample (N, D), as the chosen restart has it."""
        partitions: NDArray[np.int64] = np.stack([restart.fit_predict(data) for restart in self._restarts])
        others = len(partitions) - 1
        self.agreement_ = (adjusted_rand_indices(partitions).sum(axis=1) - 1) / others
        self.criterion_ = np.array([_criterion(restart) for restart in self._restarts])
        leading = self.agreement_ > self.agreement_.max() - 1e-9  # sums in another order may differ by less
        chosen = int(np.where(leading, self.criterion_, -np.inf).argmax())
        fitted = vars(self._restarts[chosen])
        vars(self).update({name: value for name, value in fitted.items() if name.endswith("_")})
        labels: NDArray[np.int64] = partitions[chosen]
        self.labels_ = labels
        return labels

    def _validate_params(self) -> None:
        """The clusterer's own parameters, as `check_clusterer` asks of scikit-learn's."""
        validate = getattr(self._restarts[0], "_validate_params", None)
        if validate is not None:
            validate()


def _criterion(fitted: Any) -> float:
    """What the clusterer itself would choose a restart by; larger is better."""
    if hasattr(fitted, "lower_bound_"):
        return float(fitted.lower_bound_)
    return -float(getattr(fitted, "inertia_", 0.0))
