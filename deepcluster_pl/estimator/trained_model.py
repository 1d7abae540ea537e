"""Predict, transform and score with a trained method, in scikit-learn's terms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from deepcluster_pl.data.tables.dataframes import frame_of, is_dataframe
from deepcluster_pl.data.tables.preparation import Preparation
from deepcluster_pl.errors import UserError
from deepcluster_pl.estimator.samples import ACCEPTED, to_dense
from deepcluster_pl.evaluation.metrics import separation_scores
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.predictor import Predictor, as_array, device_of
from deepcluster_pl.utils.random import sample_rows

_SCORE_ROWS = 5000


class TrainedModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Interface of an estimator that has a trained method: everything but how it gets one."""

    accelerator: str
    labels_: NDArray[np.int64]
    model_: ClusteringModule
    _description: dict[str, Any]
    _order: NDArray[np.int64]
    _predictor: tuple[str, Predictor] | None = None
    _preparation: Preparation | None = None
    _components: NDArray[np.float32] | None = None

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return the cluster (N,) of each sample of X."""
        return np.asarray(self.predict_proba(X).argmax(axis=1))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities (N, K) of each sample of X; rows sum to one."""
        return self._predicted(self._validated(X))[1][:, self._order]

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the embedding (N, D) of each sample of X, in the type of X where that is a float."""
        x = self._validated(X)
        z = self._predicted(x)[0]
        return z.astype(x.dtype if x.dtype.kind == "f" else np.float64, copy=False)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the silhouette of the predicted clusters in the scaled input space, on at most 5,000 samples.

        The space does not depend on the embedding, so scores of different methods and settings can be compared.

        Args:
            X: samples.
            y: ignored.

        Returns:
            The silhouette, from -1 to 1; -1 for a single cluster, or for one cluster a sample.
        """
        x = self._validated(X)
        rows = sample_rows(len(x), _SCORE_ROWS, 0)
        x = x[rows]
        net = self.model_.net
        scaled = x / 255 if x.dtype == np.uint8 else x
        scaled = (scaled - net.shift.numpy()) * net.factor.numpy()
        clusters = self._predicted(x)[1].argmax(axis=1)
        silhouette = separation_scores(scaled.reshape(len(x), -1), clusters)["silhouette"]
        return -1.0 if silhouette is None else silhouette

    def _set_model(self, module: ClusteringModule, description: dict[str, Any]) -> None:
        self.model_, self._description, self._predictor = module, description, None
        node = (description.get("samples") or {}).get("preparation")
        self._preparation = None if node is None else Preparation.from_json(node)
        if self._preparation:
            self.columns_ = self._preparation.kinds
        self.n_clusters_ = module.n_clusters
        self._n_features_out = module.net.latent_dim

    def _set_order(self, order: NDArray[np.int64]) -> None:
        """Give clusters their numbers: `order` holds the module's number (K,) of each."""
        self._order = order
        if self.model_.has_centers:
            self.cluster_centers_ = self.model_.centers.detach().numpy()[order]

    def _predicted(self, x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return embeddings (N, D) and probabilities (N, K) in the module's own order of clusters."""
        if self._predictor is None or self._predictor[0] != self.accelerator:
            self._predictor = (self.accelerator, Predictor(self.model_, device_of(self.accelerator)))
        return self._predictor[1](x)

    def _validated(self, X: Any) -> NDArray[Any]:
        """Return samples to predict as an array; raise `ValueError` where they are unlike those that were fitted."""
        check_is_fitted(self)
        if self._preparation and is_dataframe(X):
            return self._preparation.apply(frame_of(X))
        if self._preparation and not self._preparation.is_plain:
            raise UserError(f"found {type(X).__name__}, expected a DataFrame with the columns that were fitted")
        return to_dense(validate_data(self, as_array(X), **ACCEPTED, reset=False), self._components)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.three_d_array = True
        return tags
