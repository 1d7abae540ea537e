"""A folder of pictures, as a camera or a phone leaves it: read once, in other processes, in an order of its own."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from typing_extensions import Unpack

from deepcluster_pl.data.datamodule import ClusteringData, CommonOptions, PartName
from deepcluster_pl.data.images.discovery import SUFFIXES, File, Found, find_images, shown
from deepcluster_pl.data.images.exif import ImageMetadata
from deepcluster_pl.data.images.extraction import Job, Measured, Rate, cores, outcomes
from deepcluster_pl.data.images.feature_cache import FeatureCache, Kept, cache_folder
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.data.samples import Table
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.ranges import NonNegativeInt, PositiveFloat

_ROWS_AT_ONCE = 256
_SECONDS_AT_ONCE = 5.0


class ImageFolder(ClusteringData):
    """All pictures below a folder; a file's path from there is its id.

    Samples come in the order of their files' contents (SHA-256), so that no name, folder or date can tell in what is
    found. What cannot be read is left out, and told in the run's folder.

    Args:
        root: the folder.
        features: what is measured of each picture.
        copies: distorted copies of each picture that are measured too, for methods that learn from them.
        labels: `folder` takes the name of the folder a file lies in as its label, to score with; `none` has no labels.
        strict: end where a picture cannot be read, rather than leaving it out.
        follow_links: read what links lead to outside the root, too.
        max_megapixels: larger pictures are left out, by their header, before anything is decoded.
        reading_processes: how many decode; null takes one a core, 0 none, so that a decoder that crashes ends the run.
        cache_dir: what was measured is kept here, and only files that are new or changed are read again.
        common: see `CommonOptions`.
    """

    def __init__(
        self,
        root: str | None,
        features: Features,
        copies: NonNegativeInt,
        labels: Literal["folder", "none"],
        strict: bool,
        follow_links: bool,
        max_megapixels: PositiveFloat,
        reading_processes: NonNegativeInt | None,
        cache_dir: str,
        **common: Unpack[CommonOptions],
    ) -> None:
        super().__init__(common)
        self.root = root
        self.features = features
        self.n_copies = copies
        self.label_source = labels
        self.strict = strict
        self.follow_links = follow_links
        self.max_megapixels = max_megapixels
        self.reading_processes = cores() if reading_processes is None else reading_processes
        self.cache_dir = cache_dir
        self.skipped: dict[str, str] = {}
        self.passed_over: dict[str, str] = {}
        self.facts: dict[str, ImageMetadata] = {}
        self._told = ""
        self._entries: list[Kept] = []
        self._store: FeatureCache | None = None

    def load(self) -> Table:
        """Find the pictures, measure those that are new, and map all into memory."""
        root = self._existing_root()
        self.features.check()
        found = find_images(root, self.follow_links)
        if not found.files:
            raise UserError(_no_pictures(root, found))
        self.skipped, self.passed_over = dict(found.skipped), found.passed_over
        recipe = {**self.features.recipe(), "copies": self.n_copies}
        folder = cache_folder(Path(self.cache_dir).expanduser(), root, recipe)
        store = FeatureCache(folder, (1 + self.n_copies, *self.features.shape), self.features.dtype)
        with store.lock():
            place = store.open()
            new = [file for file in found.files if file not in place]
            rate = Rate(len(new), lambda line: Console().print(line, highlight=False, soft_wrap=True))
            self._measure(root, new, store, rate)
        place = {entry.file: row for row, entry in enumerate(store.entries)}
        kept = [file for file in found.files if file in place]
        self._check_skipped(len(kept), root)
        order = sorted((store.entries[place[file]].digest, file.name, place[file]) for file in kept)
        rows = np.array([row for _, _, row in order], dtype=np.int64)
        ids = [name for _, name, _ in order]
        self.facts = {name: store.entries[row].facts for _, name, row in order}
        self._entries, self._store = [store.entries[row] for _, _, row in order], store
        read = f", {rate.measured} read at {rate.per_second:.0f}/s" if rate.measured else ""
        n_skipped = len(self.skipped) + len(self.passed_over)
        self._told = f"{len(kept) - rate.measured} from the cache{read}, {n_skipped} skipped"
        whole = store.rows()
        labels = np.array([_folder_of(name) for name in ids]) if self.label_source == "folder" else None
        return Table(whole[:, 0], ids, labels, order=rows, copies=whole[:, 1:] if self.n_copies else None)

    def thumbnail(self, name: PartName, row: int) -> bytes | None:
        """A small JPEG of the picture at a position of a part."""
        return None if self._store is None else self._store.thumbnail(self._entries[int(self.part(name).rows[row])])

    def describe(self) -> str:
        """The data, and how it was come by, in a few words."""
        return f"{super().describe()} ({self._told})"

    def save_records(self, folder: Path) -> None:
        """Write `pictures.csv`, what each file says of itself, and `skipped.csv`, what was left out and why."""
        with atomic_write(folder / "skipped.csv") as file:
            csv.writer(file).writerows([("path", "reason"), *sorted((self.passed_over | self.skipped).items())])
        with atomic_write(folder / "pictures.csv") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "width", "height", "bytes", "taken", "latitude", "longitude"])
            writer.writerows([name, *facts] for name, facts in self.facts.items())

    def _existing_root(self) -> Path:
        if not self.root:
            raise UserError("data.root is missing; type data.root=<the folder of the pictures>")
        root = Path(self.root).expanduser()
        if not root.is_dir():
            raise UserError(
                f"data.root={self.root}: {'a file' if root.exists() else 'no such folder'}, expected a folder"
            )
        return root

    def _measure(self, root: Path, new: list[File], store: FeatureCache, rate: Rate) -> None:
        """Add new pictures to the store; those read before an error or Ctrl-C stay there."""
        job = Job(str(root), self.features, self.n_copies, self.max_megapixels)
        by_name = {file.name: file for file in new}
        waiting: list[tuple[File, Measured]] = []
        kept_at = time.monotonic()
        try:
            for name, outcome in outcomes(job, list(by_name), min(self.reading_processes, len(new))):
                rate.step(isinstance(outcome, Measured))
                if isinstance(outcome, str):
                    self.skipped[name] = outcome
                    if self.strict:
                        return
                    continue
                waiting.append((by_name[name], outcome))
                if len(waiting) == _ROWS_AT_ONCE or time.monotonic() - kept_at > _SECONDS_AT_ONCE:
                    self._keep(store, waiting)
                    waiting, kept_at = [], time.monotonic()
        finally:
            self._keep(store, waiting)

    def _keep(self, store: FeatureCache, some: list[tuple[File, Measured]]) -> None:
        if not some:
            return
        kept = np.stack([measured.kept for _, measured in some])
        samples = self.features.of_many(kept.reshape(-1, *kept.shape[2:])).reshape(len(some), *store.shape)
        good = [bool(np.isfinite(sample).all()) for sample in samples]
        for (file, _), is_good in zip(some, good, strict=True):
            if not is_good:
                self.skipped[file.name] = "what is measured of it is not finite"
        entries = [Kept(file, measured.digest, measured.facts) for file, measured in some]
        chosen = np.flatnonzero(good)
        thumbnails = [some[i][1].thumbnail for i in chosen]
        store.append([samples[i] for i in chosen], [entries[i] for i in chosen], thumbnails)

    def _check_skipped(self, n_kept: int, root: Path) -> None:
        if not self.skipped or (n_kept and not self.strict):
            return
        name, reason = next(iter(sorted(self.skipped.items())))
        if not n_kept:
            raise UserError(
                f"data.root={root}: none of {len(self.skipped)} pictures can be read; the first, {shown(name)}: "
                f"{reason}"
            )
        raise UserError(f"{shown(name)}: {reason}; data.strict=false leaves such files out")


def _no_pictures(root: Path, found: Found) -> str:
    told = sorted((found.passed_over | found.skipped).items())
    others = [*_counted(found.n_others, "other files"), *_counted(len(told), "that cannot be read")]
    first = next((f"; {shown(name)}: {reason}" for name, reason in told), "")
    return (
        f"data.root={root}: found no pictures ({', '.join(others) or 'nothing at all'}{first}); expected files "
        f"ending in {', '.join(sorted(suffix[1:] for suffix in SUFFIXES))}"
    )


def _counted(n: int, what: str) -> Iterator[str]:
    if n:
        yield f"{n} {what}"


def _folder_of(name: str) -> str:
    """Folder that a file lies in, below the root, as text that can be drawn; "." is the root itself.

    >>> _folder_of("2019/cats/a.jpg"), _folder_of("a.jpg")
    ('2019/cats', '.')
    """
    return str(PurePosixPath(name).parent).encode("utf-8", "backslashreplace").decode()


def measured_pictures(
    features: Features, root: Path, names: list[str], max_megapixels: float = 150.0, processes: int = 0
) -> tuple[NDArray[Any], dict[str, str]]:
    """Samples (N, *shape) of the files that can be read, in their order, and the reason for each that cannot.

    Args:
        features: those of the model; see `deepcluster_pl.methods.serialization.load_features`.
        root: folder that names begin at.
        names: files.
        max_megapixels: larger pictures are not decoded.
        processes: how many decode; 0 decodes in this one.
    """
    features.check()
    job = Job(os.fspath(root), features, 0, max_megapixels)
    found = list(outcomes(job, names, processes))
    good = [outcome.kept[0] for _, outcome in found if isinstance(outcome, Measured)]
    samples = features.of_many(np.stack(good)) if good else np.empty((0, *features.shape), features.dtype)
    return samples, {name: outcome for name, outcome in found if isinstance(outcome, str)}
