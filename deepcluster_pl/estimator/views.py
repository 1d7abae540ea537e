"""Show fitted samples: report, plot, coarser and finer groups, and what a notebook displays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from deepcluster_pl.errors import UserError
from deepcluster_pl.estimator.trained_model import TrainedModel
from deepcluster_pl.evaluation.find_levels import make_levels
from deepcluster_pl.evaluation.levels import Levels
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.evaluation.projection import by_components
from deepcluster_pl.reporting.figures.embedding_map import draw_map
from deepcluster_pl.reporting.notebook import fitted_html
from deepcluster_pl.runs.in_memory import Fitted, write_report


class FittedViews(TrainedModel):
    """Interface of an estimator that can show its samples, as long as they are in memory."""

    method: str
    n_clusters: int | Literal["auto"]
    seed_: int
    _fitted: Fitted | None = None
    _levels: Levels | None = None

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
