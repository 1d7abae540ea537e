"""A recipe as a scikit-learn estimator: its parameters, fit, save and load."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from deepcluster_pl.config.overrides import as_overrides
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.tables.prepared import describe_left_out
from deepcluster_pl.estimator.samples import ACCEPTED, frame_to_prepare, is_scaled, leading_components, to_dense
from deepcluster_pl.estimator.saved import SavedEstimator
from deepcluster_pl.estimator.views import FittedViews
from deepcluster_pl.evaluation.outliers import NO_GROUP
from deepcluster_pl.methods.initialization.n_clusters import AUTO
from deepcluster_pl.methods.predictor import as_array, order_of
from deepcluster_pl.runs.in_memory import fit_samples


class DeepClustering(FittedViews):
    """Any recipe of this package as a scikit-learn clusterer. Nothing is written to disk unless `save` is called.

    Args:
        method: a recipe, as in `method=` on the command line: kmeans, gmm, pca_gmm, graph, communities,
            gradients, ae_kmeans, ae_gmm, dec, idec, dcn, dkm, vade, scan, n2d, da/idec ... `auto` tries several, and
            chooses one without labels.
        n_clusters: K, or `auto` for the number that halves of the data agree on; fewer than 20 samples get 2, with a
            warning.
        random_state: seed of all draws; None draws a seed. The same seed gives the same labels on one machine.
        accelerator: `auto`, `cpu`, `gpu` and so on, as Lightning's Trainer takes it, for fitting and predicting.
        verbose: 0 prints nothing, 1 prints progress.
        overrides: further settings: a dict, `{"pretrain.max_epochs": 50, "net.dims": [500, 10]}`, or as typed on the
            command line, `("pretrain.max_epochs=50", "net.dims=[500,10]")`.
        scale: `standard` gives each column mean 0 and variance 1, `unit` maps it to 0 ... 1, `none` changes nothing.
            `auto` is `standard`, but leaves what is scaled already: columns of zeros and ones, standardized columns,
            rows of length 1, and images of bytes or of values from -1 to 1. `scaling_` names them.
        precision: of training steps, as Lightning's Trainer takes it: `32-true`, `bf16-mixed` ...; None = the recipe's.
        outliers: `auto` gives samples that no group explains the label -1, a share such as 0.05 so many of them, `none`
            nobody; None = the recipe's, which is `auto` for method="auto" and `none` for others.

    Attributes:
        labels_: cluster (N,) of each fitted sample, from 0; -1 for one in no group, see `outliers`. `predict` gives
            such a sample the nearest cluster.
        cluster_centers_: centers (K, D) among the embeddings, where the method has centers.
        n_clusters_: K.
        n_features_in_: number of features of the fitted samples.
        feature_names_in_: names of the columns, where all of them are text.
        columns_: kind of each column of a DataFrame that holds more than plain numbers: number, category, date ...
        candidates_: with method="auto", a row for each recipe that was tried, the chosen one marked; else None.
        history_: points (n, 2) of each curve by its name, as (optimizer step, value): `pretrain/mse`, `fit/kl` ...
        scaling_: the columns that `scale="auto"` left as they are, in words; empty without any.
        levels_: coarser and finer groups, see `labels_at`: `offered` has a few levels, each with `name`, `sizes` and
            `parent` groups; see `deepcluster_pl.evaluation.levels.Levels`.
        model_: the trained `ClusteringModule`, on the CPU.
        seed_: the seed that was used.

    >>> from sklearn.datasets import load_iris
    >>> DeepClustering("gmm", n_clusters=3, random_state=0).fit_predict(load_iris().data).shape
    (150,)
    """

    def __init__(
        self,
        method: str = "auto",
        n_clusters: int | Literal["auto"] = AUTO,
        random_state: int | np.random.RandomState | None = None,
        accelerator: str = "auto",
        verbose: int = 0,
        overrides: Mapping[str, Any] | Sequence[str] | str = (),
        scale: Literal["auto", "none", "unit", "standard"] = "auto",
        precision: str | int | None = None,
        outliers: float | str | None = None,
    ) -> None:
        self.method = method
        self.n_clusters = n_clusters
        self.random_state = random_state
        self.accelerator = accelerator
        self.verbose = verbose
        self.overrides = overrides
        self.scale = scale
        self.precision = precision
        self.outliers = outliers

    def fit(self, X: Any, y: Any = None) -> DeepClustering:
        """Carry out the recipe.

        Args:
            X: samples (N, n_features), or images (N, H, W) or (N, H, W, 3). A DataFrame may hold categories, dates,
                text and gaps: each column is prepared by its kind, as on the command line; see `columns_`. A sparse
                matrix of SciPy, of 16 columns or more, becomes a dense one where that takes at most 1 GiB; of a larger
                one the 100 leading components are clustered, with a warning.
            y: ignored.

        Returns:
            This estimator, fitted.

        Raises:
            ValueError: X or a setting is unusable; the text names the value, the expected one, and the remedy.
        """
        overrides = as_overrides(self.overrides)
        table = self._table_of(X)
        self.seed_ = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        if isinstance(self.random_state, (int, np.integer)):
            self.seed_ = int(self.random_state)
        # Carry out the recipe
        fitted = fit_samples(table, self._settings(table), overrides, bool(self.verbose))
        self.history_, self.candidates_, self.scaling_ = fitted.history, fitted.candidates, fitted.scaling
        self._fitted, self._levels = fitted, None
        self._set_model(fitted.module, fitted.description)
        x = table.x
        if table.frame is not None and self._preparation:
            x = self._preparation.apply(table.frame)
            if left_out := describe_left_out(self._preparation):
                warnings.warn(left_out, UserWarning, stacklevel=2)
        # Number the clusters without gaps, and take out the samples that no group explains
        clusters = self._predicted(x)[1].argmax(axis=1)
        self._set_order(order_of(clusters, self.n_clusters_))
        self.labels_ = np.argsort(self._order)[clusters]
        self.labels_[fitted.outside] = NO_GROUP
        found = len(np.unique(clusters))
        if found < self.n_clusters_:
            text = f"Number of distinct clusters ({found}) found smaller than n_clusters ({self.n_clusters_})."
            warnings.warn(text, ConvergenceWarning, stacklevel=2)
        return self

    def save(self, folder: str | Path) -> None:
        """Write the fitted estimator into a new folder, as JSON and safetensors that run no code."""
        check_is_fitted(self)
        parameters = {
            "method": self.method,
            "n_clusters": self.n_clusters if self.n_clusters == AUTO else int(self.n_clusters),
            "random_state": self.seed_,
            "accelerator": self.accelerator,
            "verbose": int(self.verbose),
            "overrides": as_overrides(self.overrides),
            "scale": self.scale,
            "precision": self.precision,
            "outliers": self.outliers,
        }
        names = self.feature_names_in_.tolist() if hasattr(self, "feature_names_in_") else None
        labels = getattr(self, "labels_", None)
        SavedEstimator(
            self.model_, self._description, parameters, names, self.history_, self._order, labels, self._components,
            self._levels,
        ).write(Path(folder).expanduser())  # fmt: skip

    @classmethod
    def load(cls, folder: str | Path) -> DeepClustering:
        """Read what `save` wrote, or the model of a run folder, which knows its recipe but not the overrides.

        Args:
            folder: folder of a saved estimator, or a run folder.

        Returns:
            A fitted estimator.

        Raises:
            UserError: there is no readable model.
        """
        saved = SavedEstimator.read(Path(folder).expanduser())
        estimator = cls(**saved.parameters)
        estimator.seed_, estimator.history_ = int(saved.parameters.get("random_state", 0)), saved.history
        estimator.n_features_in_ = saved.module.net.input_shape[0]
        if saved.feature_names:
            estimator.feature_names_in_ = np.array(saved.feature_names, dtype=object)
            estimator.n_features_in_ = len(saved.feature_names)
        if saved.components is not None:
            estimator._components, estimator.n_features_in_ = saved.components, len(saved.components)
        estimator._set_model(saved.module, saved.description)
        estimator._set_order(saved.order)
        if saved.labels is not None:
            estimator.labels_, estimator._levels = saved.labels, saved.levels
        return estimator

    def _table_of(self, X: Any) -> Table:
        """Return the samples of X as a source would: as an array, or as columns that are yet to be prepared."""
        self._components = None
        if columns := frame_to_prepare(X):
            self.n_features_in_ = len(columns.names)
            self.feature_names_in_ = np.array(columns.names, dtype=object)
            return Table(np.empty((len(columns), 0)), range(len(columns)), frame=columns)
        x = validate_data(self, as_array(X), **ACCEPTED)
        self._components = leading_components(x)
        x = to_dense(x, self._components)
        return Table(x, range(len(x)))

    def _settings(self, table: Table) -> dict[str, Any]:
        """Return the parameters as keys of the config; what is None is left to the recipe."""
        scaled = self.scale == "auto" and (self._components is not None or is_scaled(table.x))
        settings = {
            "method": self.method,
            "n_clusters": self.n_clusters,
            "seed": self.seed_,
            "trainer.accelerator": self.accelerator,
            "data.scale": "none" if scaled else self.scale,
            "trainer.precision": self.precision,
            "outliers": self.outliers,
        }
        return {key: value for key, value in settings.items() if value is not None}
