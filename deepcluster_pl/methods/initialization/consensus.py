"""Restarts of a clusterer, of which the one that agrees most with all others is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional import adjusted_rand_indices
from deepcluster_pl.functional.accelerated import accelerated
from deepcluster_pl.utils.ranges import NonNegativeInt


class ConsensusRestarts:
    """Clusterer that chooses, of several restarts, the one with the largest mean adjusted Rand index with all others.

    The usual choice is the restart with the best criterion. On deep embeddings the lowest inertia often belongs to a
    partition that hardly any restart finds. Agreement among many restarts is evidence too, and needs no labels. The
    choice is the median partition among those found ("best of k"; Filkov, Skiena 2004). Where several agree equally,
    such as restarts that found the same groups, the clusterer's own criterion decides.

    It is used as scikit-learn's clusterers are. After `fit_predict` it has all fitted attributes of the chosen restart
    (`labels_`, `cluster_centers_` or `means_`, `weights_`, `precisions_cholesky_`, …) and those below.

    Args:
        clusterer: makes a clusterer, or mixture, from its `random_state`.
        n_restarts: number R of restarts.
        random_state: decides the random states of the restarts.

    Raises:
        UserError: the clusterer takes no `random_state`.

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
        """Cluster samples with every restart, and take the attributes of the chosen one.

        Args:
            data: samples (N, D).

        Returns:
            Cluster (N,) of each sample in the chosen restart.
        """
        restarts = [accelerated(restart) for restart in self._restarts]
        partitions: NDArray[np.int64] = np.stack([restart.fit_predict(data) for restart in restarts])
        # Mean index with the others: each row holds a 1 for the restart itself
        self.agreement_ = (adjusted_rand_indices(partitions).sum(axis=1) - 1) / (len(partitions) - 1)
        # The best criterion among those that agree most
        self.criterion_ = np.array([_criterion(restart) for restart in restarts])
        leading = self.agreement_ > self.agreement_.max() - 1e-9  # sums in another order may differ by less
        chosen = int(np.where(leading, self.criterion_, -np.inf).argmax())
        # scikit-learn marks fitted attributes by an underscore at the end
        fitted = vars(restarts[chosen])
        vars(self).update({name: value for name, value in fitted.items() if name.endswith("_")})
        labels: NDArray[np.int64] = partitions[chosen]
        self.labels_ = labels
        return labels

    def _validate_params(self) -> None:
        """Validate the clusterer's own parameters; `check_clusterer` calls this as it does scikit-learn's."""
        validate = getattr(self._restarts[0], "_validate_params", None)
        if validate is not None:
            validate()


def _criterion(fitted: Any) -> float:
    """Return the number that the clusterer itself chooses a restart by; larger is better."""
    if hasattr(fitted, "lower_bound_"):
        return float(fitted.lower_bound_)
    return -float(getattr(fitted, "inertia_", 0.0))
