"""Recognize what samples are, from their shape and values: images, described photos, embeddings, counts or a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.utils.image_layout import is_image
from deepcluster_pl.utils.random import sample_rows

Kind = Literal["images", "photos", "embeddings", "counts", "table"]
_NOUNS: dict[Kind, str] = {
    "images": "images", "photos": "pictures", "embeddings": "embeddings", "counts": "rows of counts", "table": "rows",
}  # fmt: skip
_ROWS = 2000
_UNIT_FEATURES, _WIDE_FEATURES = 16, 128
_COUNT_FEATURES, _MOST_ZEROS = 50, 0.5


@dataclass(frozen=True)
class SampleKind:
    """The kind of the samples of a run.

    Attributes:
        kind: images (pixels), photos (descriptions of picture files), embeddings (rows of unit length, or wide ones of
            real numbers), counts (sparse whole numbers that are not negative), or table (everything else).
        n: number N of fitted samples.
        shape: of one sample.
        zeros: share of values that are zero.
        has_unit_length: whether every row has the same length.
        n_components: of a table with categories, dates or gaps, components that hold more than one column does: beyond
            them neighbors share a category by chance. None for all other samples.
    """

    kind: Kind
    n: int
    shape: tuple[int, ...]
    zeros: float
    has_unit_length: bool
    n_components: int | None = None

    @property
    def n_features(self) -> int:
        """Number of values in one sample."""
        return int(np.prod(self.shape))

    def describe(self) -> str:
        """Return the kind and the size in a few words.

        >>> SampleKind("images", 1797, (8, 8), 0.49, False).describe()
        '1,797 images of 8x8'
        >>> SampleKind("counts", 500, (2000,), 0.9712, False).describe()
        '500 rows of counts of 2000 columns, 97% zeros'
        """
        size = "x".join(map(str, self.shape)) if self.kind == "images" else f"{self.n_features} columns"
        more = ", of unit length" if self.has_unit_length else ""
        more += f", {self.zeros:.0%} zeros" if self.kind == "counts" else ""
        return f"{self.n:,} {_NOUNS[self.kind]} of {size}{more}"


def recognize(data: ClusteringData, seed: int) -> SampleKind:
    """Look at the fitted samples, on a seeded sample of at most 2,000 rows, as they were before scaling.

    Args:
        data: set up.
        seed: decides the rows.

    Returns:
        The kind; labels are not read.
    """
    part = data.part("fit")
    x = part.take(sample_rows(len(part), _ROWS, seed)).reshape(-1, data.n_features).astype(np.float64)
    zeros = float((x == 0).mean())
    lengths = np.linalg.norm(x, axis=1)
    mean = float(lengths.mean())
    has_unit_length = data.n_features >= _UNIT_FEATURES and mean > 0 and float(lengths.std()) < 0.01 * mean
    is_whole = bool((x >= 0).all() and (x == np.rint(x)).all())

    def kind() -> Kind:
        if isinstance(data, ImageFolder) and not is_image(data.input_shape):
            return "photos"
        if is_image(data.input_shape):
            return "images"
        if is_whole and zeros >= _MOST_ZEROS and data.n_features >= _COUNT_FEATURES:
            return "counts"
        is_wide = data.n_features >= _WIDE_FEATURES and zeros < _MOST_ZEROS and not is_whole
        return "embeddings" if has_unit_length or is_wide else "table"

    found = kind()
    is_direction = has_unit_length and found == "embeddings"
    return SampleKind(found, len(part), data.input_shape, zeros, is_direction, shared_components(data, seed))


def shared_components(data: ClusteringData, seed: int) -> int | None:
    """Return the number of principal components whose variance is above that of a mean column (Kaiser's rule).

    Args:
        data: set up.
        seed: decides the rows, at most 2,000.

    Returns:
        The number, from 2 to 30; None where the samples are no table with categories, dates or gaps.
    """
    part = data.part("fit")
    if part.blocks is None or len(part) < 3:
        return None
    x = data.prepared("fit", sample_rows(len(part), _ROWS, seed)).astype(np.float64)
    blocks, weights = part.blocks
    n_columns = weights[np.unique(blocks, return_index=True)[1]].sum()
    variance = np.linalg.eigvalsh(np.cov(x, rowvar=False))
    return int(np.clip((variance > variance.sum() / n_columns).sum(), 2, 30))
