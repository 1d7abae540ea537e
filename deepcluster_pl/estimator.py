"""A recipe as a scikit-learn estimator: fit, predict, transform."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from deepcluster_pl.config.overrides import as_overrides
from deepcluster_pl.config.recipes import option_of_method
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.tables.dataframes import frame_of, is_dataframe, needs_preparation
from deepcluster_pl.data.tables.frame import Frame
from deepcluster_pl.data.tables.preparation import Preparation
from deepcluster_pl.data.tables.prepared import describe_left_out
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.evaluation.find_levels import make_levels
from deepcluster_pl.evaluation.levels import Levels, load_levels
from deepcluster_pl.evaluation.metrics import separation_scores
from deepcluster_pl.evaluation.outliers import NO_GROUP
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.evaluation.projection import by_components
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.n_clusters import AUTO
from deepcluster_pl.methods.predictor import Predictor, as_array, device_of, order_of
from deepcluster_pl.methods.serialization import load_model, read_description, save_model
from deepcluster_pl.reporting.figures.embedding_map import draw_map
from deepcluster_pl.reporting.notebook import fitted_html
from deepcluster_pl.runs.in_memory import Fitted, fit_samples, write_report
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.json_files import read_json
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.tensor_files import load_tensors, save_tensors

SCHEMA = 1
_SCORE_ROWS = 5000
_MOST_DENSE, _COMPONENTS = 2**28, 100
_FEWEST_SPARSE_COLUMNS = 16
"""scikit-learn's checks try three columns, and expect of all that takes them the probabilities of four classes."""
_ACCEPTED: dict[str, Any] = {"dtype": ["float64", "float32", "uint8"], "allow_nd": True, "accept_sparse": "csr"}
_FACTS, _TENSORS, _LEVELS = "estimator.json", "estimator.safetensors", "levels.json"


class DeepClustering(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc]
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

    _predictor: tuple[str, Predictor] | None = None
    _preparation: Preparation | None = None
    _fitted: Fitted | None = None
    _components: NDArray[np.float32] | None = None
    _levels: Levels | None = None

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
        self._components = self._levels = None
        if columns := self._columns_of(X):
            table = Table(np.empty((len(columns), 0)), range(len(columns)), frame=columns)
        else:
            x = self._dense(validate_data(self, as_array(X), **_ACCEPTED))
            table = Table(x, range(len(x)))
        self.seed_ = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        if isinstance(self.random_state, (int, np.integer)):
            self.seed_ = int(self.random_state)
        settings: dict[str, Any] = {
            "method": self.method,
            "n_clusters": self.n_clusters,
            "seed": self.seed_,
            "trainer.accelerator": self.accelerator,
            "data.scale": self._scale_of(table),
        }
        if self.precision is not None:
            settings["trainer.precision"] = self.precision
        if self.outliers is not None:
            settings["outliers"] = self.outliers
        fitted = fit_samples(table, settings, overrides, bool(self.verbose))
        self.history_, self.candidates_, self.scaling_ = fitted.history, fitted.candidates, fitted.scaling
        self._fitted = fitted
        self._set_model(fitted.module, fitted.description)
        if columns and self._preparation:
            x = self._preparation.apply(columns)
            if left_out := describe_left_out(self._preparation):
                warnings.warn(left_out, UserWarning, stacklevel=2)
        clusters = self._predicted(x)[1].argmax(axis=1)
        self._set_order(order_of(clusters, self.n_clusters_))
        self.labels_ = np.argsort(self._order)[clusters]
        self.labels_[fitted.outside] = NO_GROUP
        found = len(np.unique(clusters))
        if found < self.n_clusters_:
            text = f"Number of distinct clusters ({found}) found smaller than n_clusters ({self.n_clusters_})."
            warnings.warn(text, ConvergenceWarning, stacklevel=2)
        return self

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

    def report(self, path: str | Path) -> Path:
        """Write the HTML report of the fitted samples; simple methods are computed beside it, as for a run.

        Args:
            path: the page to write, or a folder for report.html.

        Returns:
            Path of the page.

        Raises:
            UserError: the samples are not in memory, since the estimator was loaded, or the page cannot be written.
        """
        check_is_fitted(self)
        if self._fitted is None:
            raise UserError("a report needs the fitted samples, which no saved or copied estimator has; call fit again")
        file = Path(path).expanduser()
        file = file / "report.html" if file.is_dir() else file
        write_report(self._fitted, file, f"DeepClustering(method={self.method!r}, n_clusters={self.n_clusters!r})")
        return file

    def plot(self, X: Any = None, ax: Any = None) -> Any:
        """Draw the embeddings on their first two principal components, colored by cluster.

        Args:
            X: samples; None for those that were fitted.
            ax: axes of matplotlib; None for new ones.

        Returns:
            The axes.

        Raises:
            UserError: X is None and the fitted samples are not in memory, since the estimator was loaded.
        """
        check_is_fitted(self)
        if X is not None:
            z, q = self._predicted(self._validated(X))
            clusters = q[:, self._order].argmax(axis=1)
        elif self._fitted is not None:
            z, clusters = self._fitted.trained.predictions["fit"].z.numpy(), self.labels_
        else:
            raise UserError("this estimator was saved or copied without the fitted samples; write plot(X)")
        if ax is None:
            from matplotlib import pyplot  # it looks for a display, so only now

            ax = pyplot.subplots(figsize=(6, 6), layout="constrained")[1]
        draw_map(ax, by_components({"fit": z.astype(np.float32)})["fit"], clusters, self.n_clusters_, "pca")
        return ax

    @property
    def levels_(self) -> Levels:
        """Coarser and finer groups of the fitted samples; they are found at the first use."""
        check_is_fitted(self)
        if self._levels is None:
            if self._fitted is None:
                raise UserError("levels need the fitted samples; use levels_ before you save or copy, or fit again")
            trained = self._fitted.trained
            # Ids are places in labels_; cells come back in the order of the samples
            places = {name: np.array(trained.data.part(name).ids, dtype=np.int64) for name in trained.data.parts}
            parts: Predictions = {
                name: replace(trained.predictions[name], clusters=torch.from_numpy(self.labels_[rows]))
                for name, rows in places.items()
            }
            found, cells = make_levels(parts, self.n_clusters_, self.seed_), np.empty_like(self.labels_)
            for name, rows in places.items():
                cells[rows] = found.cells[name]
            self._levels = replace(found, cells={"fit": cells})
        return self._levels

    def labels_at(self, n: int) -> NDArray[np.int64]:
        """Return the group (N,) of each fitted sample on the level of n groups, -1 for one in no group.

        Args:
            n: number of groups: fewer than `n_clusters_` joins clusters, more splits those that come apart. With as
                many as there are clusters that hold samples, `labels_` comes back.

        Raises:
            ValueError: there are not that many groups that are well supported.
        """
        return self.levels_.labels_at(n)

    def save(self, folder: str | Path) -> None:
        """Write the fitted estimator into a new folder, as JSON and safetensors that run no code."""
        check_is_fitted(self)
        folder = Path(folder).expanduser()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} exists and is not empty; name a new folder")
        save_model(self.model_, self._description, folder)
        facts = {
            "schema": SCHEMA,
            "parameters": {
                "method": self.method,
                "n_clusters": self.n_clusters if self.n_clusters == AUTO else int(self.n_clusters),
                "random_state": self.seed_,
                "accelerator": self.accelerator,
                "verbose": int(self.verbose),
                "overrides": as_overrides(self.overrides),
                "scale": self.scale,
                "precision": self.precision,
                "outliers": self.outliers,
            },
            "feature_names": self.feature_names_in_.tolist() if hasattr(self, "feature_names_in_") else None,
            "history": {name: points.tolist() for name, points in self.history_.items()},
        }
        tensors = {"labels": torch.from_numpy(self.labels_)} if hasattr(self, "labels_") else {}
        if self._components is not None:
            tensors["components"] = torch.from_numpy(self._components)
        if self._levels is not None:
            self._levels.save(folder / _LEVELS)
        save_tensors({"order": torch.from_numpy(self._order), **tensors}, folder / _TENSORS)
        with atomic_write(folder / _FACTS) as file:
            json.dump(facts, file, indent=2)

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
        folder = Path(folder).expanduser()
        folder = folder / "model" if (folder / "model" / "model.json").is_file() else folder
        module = load_model(folder)
        facts, tensors = _read_facts(folder) if (folder / _FACTS).is_file() else ({}, {})
        known = {"method": option_of_method(module.name), "n_clusters": module.n_clusters}
        estimator = cls(**facts.get("parameters", known))
        estimator.n_features_in_ = module.net.input_shape[0]
        estimator.history_ = {name: np.array(points) for name, points in facts.get("history", {}).items()}
        estimator.seed_ = int(facts.get("parameters", {}).get("random_state", 0))
        description = read_description(folder)
        if names := facts.get("feature_names") or description["samples"].get("feature_names"):
            estimator.feature_names_in_ = np.array(names, dtype=object)
            estimator.n_features_in_ = len(names)
        estimator._set_model(module, description)
        estimator._set_order(tensors["order"].numpy() if tensors else np.arange(module.n_clusters))
        if "components" in tensors:
            estimator._components = tensors["components"].numpy()
            estimator.n_features_in_ = len(estimator._components)
        if "labels" in tensors:
            estimator.labels_ = tensors["labels"].numpy()
            estimator._levels = load_levels(folder / _LEVELS) if (folder / _LEVELS).is_file() else None
        return estimator

    def _columns_of(self, X: Any) -> Frame | None:
        """Return the columns of a DataFrame that has to be prepared; None for everything else."""
        if not is_dataframe(X) or not needs_preparation(X):
            return None
        frame = frame_of(X)
        self.n_features_in_ = len(frame.names)
        self.feature_names_in_ = np.array(frame.names, dtype=object)
        return frame

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
        return self._dense(validate_data(self, as_array(X), **_ACCEPTED, reset=False), fits=False)

    def _dense(self, x: Any, fits: bool = True) -> NDArray[Any]:
        """Return samples as a dense array: a large sparse matrix by its leading components, found where `fits`."""
        if sparse.issparse(x) and x.shape[1] < _FEWEST_SPARSE_COLUMNS:
            least = _FEWEST_SPARSE_COLUMNS
            raise UserError(f"found a sparse X of {x.shape[1]} columns, expected {least} or more; write X.toarray()")
        if self._components is None and fits and sparse.issparse(x) and x.shape[0] * x.shape[1] > _MOST_DENSE:
            svd = TruncatedSVD(min(_COMPONENTS, x.shape[1] - 1), random_state=0).fit(x)
            self._components = np.ascontiguousarray(svd.components_.T, dtype=np.float32)
            text = f"X of {x.shape[0]} x {x.shape[1]} would take more than 1 GiB as a dense array"
            warnings.warn(f"{text}; its {self._components.shape[1]} leading components are clustered", stacklevel=3)
        if self._components is not None:
            return np.asarray(x @ self._components)
        return np.asarray(x.toarray() if sparse.issparse(x) else x)

    def _scale_of(self, table: Table) -> str:
        """Return the scaling to ask for: none for components, and for images of bytes or of values from -1 to 1."""
        if self.scale != "auto":
            return self.scale
        x = table.x
        is_scaled = x.ndim > 2 and (x.dtype == np.uint8 or bool(np.abs(x).max() <= 1))
        return "none" if is_scaled or self._components is not None else "auto"

    def _repr_html_inner(self) -> str:
        """Return scikit-learn's diagram, and the result below it once there is one."""
        return str(super()._repr_html_inner()) + self._result_html()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Return the same for notebooks."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] += self._result_html()
        return bundle

    def _result_html(self) -> str:
        """Return the result of a fit in HTML, empty before one."""
        if not self.__sklearn_is_fitted__():
            return ""
        remarks = [getattr(self, "scaling_", "")]
        return fitted_html(self.method, getattr(self, "labels_", None), self.n_clusters_, remarks)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the predictor, a copy of the model, and what a report needs, which holds the samples."""
        left_out = ("_predictor", "_fitted")
        return {name: value for name, value in super().__getstate__().items() if name not in left_out}

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.three_d_array = True
        return tags


def _read_facts(folder: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Return what `save` wrote beside the model; raise `UserError` where it is damaged."""
    try:
        facts = read_json(folder / _FACTS, 2**28)  # curves of a long training are long
        if facts["schema"] != SCHEMA:
            raise ValueError(f"schema {facts['schema']}, expected {SCHEMA}")
        return dict(facts), load_tensors(folder / _TENSORS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / _FACTS} cannot be read: {first_line(error)}") from error
