"""Source of a folder of pictures, as a camera or a phone leaves it; each file is read once and cached."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from deepcluster_pl.data.base import ClusteringData, PartName, ignore_report
from deepcluster_pl.data.images.cached_reading import read_into
from deepcluster_pl.data.images.discovery import SUFFIXES, FolderScan, FoundFile, find_images, printable_name
from deepcluster_pl.data.images.exif import ImageMetadata
from deepcluster_pl.data.images.extraction import (
    ExtractionJob,
    ReadingProgress,
    available_cores,
)
from deepcluster_pl.data.images.face_weights import faces_installed
from deepcluster_pl.data.images.faces import Faces
from deepcluster_pl.data.images.feature_cache import CacheEntry, FeatureCache, cache_folder
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.data.images.foreign_files import counted
from deepcluster_pl.data.images.gray_pictures import read_gray
from deepcluster_pl.data.images.raw_previews import raw_hint
from deepcluster_pl.data.images.second_look import look_again
from deepcluster_pl.data.images.towns import Town, nearest_towns
from deepcluster_pl.data.images.written_words import WrittenWords
from deepcluster_pl.data.options import CommonOptions
from deepcluster_pl.data.samples import Table
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.distributed import broadcast_from_rank_zero, is_rank_zero
from deepcluster_pl.utils.ranges import NonNegativeInt, PositiveFloat


class ImageFolder(ClusteringData):
    """Features of all pictures below a folder; a file's path from there is its id.

    Samples are sorted by the SHA-256 of their files, so that names, folders and dates cannot influence a result.
    Files that cannot be read are left out, and listed in the run folder.

    Args:
        root: the folder.
        features: features to extract from each picture.
        copies: number of distorted copies of each picture that features are extracted from, for methods that learn
            from them.
        labels: `folder` makes a file's folder its label, to score with; `none` has no labels.
        strict: raise an error where a picture cannot be read, rather than leaving it out.
        follow_links: follow links that lead out of the root.
        max_megapixels: limit on a picture's header, above which it is left out before anything is decoded.
        reading_processes: number of processes that decode; null stands for one a core. 0 decodes in the run's own
            process, where a decoder that crashes ends the run.
        cache_dir: folder that features are stored in; only new and changed files are read again.
        exclude: patterns of names that are passed over, such as `*.gif`, beside what other programs write among photos;
            null passes over nothing.
        faces: look for faces, for filters and assignments.csv; null does where the extra `faces` is installed.
        words: read the words in pictures (extra `words`), for filters and assignments.csv.
        common: see `CommonOptions`.

    Attributes:
        skipped: reason for each file that cannot be read.
        ignored: reason for each name that is no picture of its own, though nothing is wrong with it.
        metadata: size, date and place of each sample, by its id.
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
        exclude: list[str] | None = None,
        faces: bool | None = None,
        words: bool = False,
        **common: Unpack[CommonOptions],
    ) -> None:
        super().__init__(common)
        self.root = root
        self.features = features
        self.n_copies = copies
        self.label_source = labels
        self.strict = strict
        self.follow_links = follow_links
        self.exclude = exclude
        looks: list[Features] = [Faces()] if faces or (faces is None and faces_installed()) else []
        self.looks = [*looks, *([WrittenWords()] if words else [])]
        self.max_megapixels = max_megapixels
        self.reading_processes = available_cores() if reading_processes is None else reading_processes
        self.cache_dir = cache_dir
        self.skipped: dict[str, str] = {}
        self.ignored: dict[str, str] = {}
        self.metadata: dict[str, ImageMetadata] = {}
        self._origin = ""
        self._entries: list[CacheEntry] = []
        self._cache: FeatureCache | None = None

    def load(self) -> Table:
        """Find the pictures, extract the features of those that are new, and map all into memory."""
        root = self._existing_root()
        for features in (self.features, *self.looks):
            features.check()
        if note := self.features.note():
            self.report(note)
        scan = find_images(root, self.follow_links, self.exclude)
        if scan.passed_over:
            self.report(f"passed over: {counted(scan.passed_over)}; data.exclude=null reads them too")
        if scan.n_others:
            self.report(f"{scan.n_others:,} other files: {counted(scan.others)}{raw_hint(scan.others)}")
        if not scan.files:
            raise UserError(_no_pictures_message(root, scan))
        self.skipped, self.ignored = dict(scan.skipped), scan.ignored
        recipe = {**self.features.recipe(), "copies": self.n_copies}
        folder = cache_folder(Path(self.cache_dir).expanduser(), root, recipe)
        cache = FeatureCache(folder, (1 + self.n_copies, *self.features.shape), self.features.dtype)
        # Rank 0 reads new files and reports; the other ranks wait, and then find the rows in the cache.
        if is_rank_zero():
            progress = self._fill_cache(root, scan.files, cache, self.report)
        broadcast_from_rank_zero(int)
        if not is_rank_zero():
            progress = self._fill_cache(root, scan.files, cache, ignore_report)
        if cache.problem is not None:
            self.warn(cache.problem)
        row_of = {entry.file: row for row, entry in cache.entries.items()}
        readable = [file for file in scan.files if file in row_of]
        self._check_skipped(len(readable), root)
        # Sort by the content, then by the name where two files are copies of each other.
        order = sorted((cache.entries[row_of[file]].digest, file.name, row_of[file]) for file in readable)
        rows = np.array([row for _, _, row in order], dtype=np.int64)
        ids = [name for _, name, _ in order]
        self.metadata = {name: cache.entries[row].metadata for _, name, row in order}
        self._entries, self._cache = [cache.entries[row] for _, _, row in order], cache
        read = f", {progress.measured} read at {progress.per_second:.0f}/s" if progress.measured else ""
        n_skipped = len(self.skipped) + len(self.ignored)
        self._origin = f"{len(readable) - progress.measured} from the cache{read}, {n_skipped} skipped"
        x = cache.rows()
        labels = np.array([_folder_of(name) for name in ids]) if self.label_source == "folder" else None
        return Table(x[:, 0], ids, labels, order=rows, copies=x[:, 1:] if self.n_copies else None)

    def thumbnail(self, name: PartName, row: int) -> bytes | None:
        """Return a small JPEG of the picture at a position of a part."""
        return None if self._cache is None else self._cache.thumbnail(self._entries[int(self.part(name).rows[row])])

    def look_again(self, features: Features, names: Collection[str]) -> dict[str, NDArray[Any]]:
        """Return what other features measure of some pictures; those that can no longer be read are missing.

        Args:
            features: they read each picture once, and are cached beside those of the samples.
            names: ids of samples.

        Returns:
            A row of the features by id.
        """
        job = ExtractionJob(str(self._existing_root()), features, 0, self.max_megapixels)
        kind, files = features.recipe()["features"], [entry.file for entry in self._entries if entry.file.name in names]
        return look_again(
            job, files, Path(self.cache_dir).expanduser(), self.reading_processes,
            lambda line: self.report(f"{kind} in {line}"),
        )  # fmt: skip

    def gray_pictures(self, names: Sequence[str]) -> dict[str, NDArray[np.uint8]]:
        """Decode some pictures once more, to gray; those whose file is gone or changed into no picture are missing.

        Args:
            names: ids of samples.

        Returns:
            Brightness (H, W) by id.
        """
        sizes = {name: (self.metadata[name].width, self.metadata[name].height) for name in names}
        return read_gray(Path(self.root or ".").expanduser(), sizes, self.max_megapixels, self.reading_processes)

    @cached_property
    def towns(self) -> dict[str, Town | None]:
        """Town near the place of each sample, by its id; None where place or towns are not known."""
        places = [
            None if known.latitude is None or known.longitude is None else (known.latitude, known.longitude)
            for known in self.metadata.values()
        ]
        return dict(zip(self.metadata, nearest_towns(places), strict=True))

    def describe(self) -> str:
        """Return a line about the data, and how many pictures were read, cached and skipped."""
        return f"{super().describe()} ({self._origin})"

    def save_records(self, folder: Path) -> None:
        """Write `pictures.csv`, the metadata of each picture, and `skipped.csv`, the reason for each left out."""
        with atomic_write(folder / "skipped.csv") as file:
            csv.writer(file).writerows([("path", "reason"), *sorted((self.ignored | self.skipped).items())])
        with atomic_write(folder / "pictures.csv") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "width", "height", "bytes", "taken", "latitude", "longitude", "town"])
            for name, metadata in self.metadata.items():
                town = self.towns[name]
                writer.writerow([name, *metadata, town.name if town else ""])

    def _existing_root(self) -> Path:
        """Return the root; raise `UserError` where there is no such folder."""
        if not self.root:
            raise UserError("data.root is missing; type data.root=<the folder of the pictures>")
        root = Path(self.root).expanduser()
        if not root.is_dir():
            raise UserError(
                f"data.root={self.root}: {'a file' if root.exists() else 'no such folder'}, expected a folder"
            )
        return root

    def _fill_cache(
        self, root: Path, files: list[FoundFile], cache: FeatureCache, report: Callable[[str], object]
    ) -> ReadingProgress:
        """Add the files that the cache lacks; of several runs, one does while the others wait and find its rows."""
        with cache.lock():
            known = cache.load_index()
            new = [file for file in files if file not in known]
            progress = ReadingProgress(len(new), report)
            job = ExtractionJob(str(root), self.features, self.n_copies, self.max_megapixels)
            read_into(cache, job, new, self.reading_processes, progress, self.skipped, self.strict)
        return progress

    def _check_skipped(self, n_readable: int, root: Path) -> None:
        """Raise `UserError` where no picture can be read, or `strict` and one cannot."""
        if not self.skipped or (n_readable and not self.strict):
            return
        name, reason = next(iter(sorted(self.skipped.items())))
        if not n_readable:
            raise UserError(
                f"data.root={root}: none of {len(self.skipped)} pictures can be read; the first, "
                f"{printable_name(name)}: {reason}"
            )
        raise UserError(f"{printable_name(name)}: {reason}; data.strict=false leaves such files out")


def _no_pictures_message(root: Path, scan: FolderScan) -> str:
    """Return the error for a folder without pictures: what it holds instead, and what is expected."""
    left_out = sorted((scan.ignored | scan.skipped).items())
    others = f"other files: {counted(scan.others)}{raw_hint(scan.others)}"
    counts = (
        (scan.n_others, others),
        (scan.passed_over.total(), "passed over"),
        (len(left_out), "that cannot be read"),
    )
    contents = ", ".join(f"{n} {kind}" for n, kind in counts if n) or "nothing at all"
    first = next((f"; {printable_name(name)}: {reason}" for name, reason in left_out), "")
    return (
        f"data.root={root}: found no pictures ({contents}{first}); expected files "
        f"ending in {', '.join(sorted(suffix[1:] for suffix in SUFFIXES))}"
    )


def _folder_of(name: str) -> str:
    """Return a file's folder below the root, as text that can be drawn; "." is the root itself.

    >>> _folder_of("2019/cats/a.jpg"), _folder_of("a.jpg")
    ('2019/cats', '.')
    """
    return str(PurePosixPath(name).parent).encode("utf-8", "backslashreplace").decode()
