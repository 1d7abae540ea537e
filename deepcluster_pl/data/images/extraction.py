"""Extraction of features from many files in processes of their own, where one bad file stops no other."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.decoding import decode, register_heif
from deepcluster_pl.data.images.descriptors import SMALLEST_SIDE
from deepcluster_pl.data.images.exif import ImageMetadata
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.data.images.opening import UnreadableImageError
from deepcluster_pl.data.images.random_views import random_view, view_generator
from deepcluster_pl.data.images.thumbnails import make_thumbnail
from deepcluster_pl.errors import UserError, first_line

PATIENCE_S = 120.0
"""Seconds that a chunk of files may take; a file that takes as long alone is left out."""
_CHUNKS_AHEAD = 4


class ExtractedImage(NamedTuple):
    """Features and thumbnail of one file.

    Attributes:
        extracted: (1 + copies, ...), results of `Features.extract` for the picture, then for its distorted copies.
        digest: SHA-256 of the file's bytes, in hexadecimal.
        metadata: size, date and place.
        thumbnail: a small JPEG of the picture.
    """

    extracted: NDArray[Any]
    digest: str
    metadata: ImageMetadata
    thumbnail: bytes


Outcome = ExtractedImage | str
"""The result for one file, or the reason why there is none."""


@dataclass(frozen=True)
class ExtractionJob:
    """Work on each file; it travels to the processes.

    Attributes:
        root: folder that names begin at.
        features: features to extract.
        n_copies: number of distorted copies of each picture.
        max_megapixels: limit above which pictures are not decoded.
    """

    root: str
    features: Features
    n_copies: int
    max_megapixels: float

    def __call__(self, name: str) -> Outcome:
        """Decode one file and extract its features; never raise."""
        try:
            rgb, digest, metadata = decode(
                Path(self.root, name), self.features.side, SMALLEST_SIDE, self.max_megapixels
            )
            copies = (random_view(rgb, SMALLEST_SIDE, view_generator(digest, copy)) for copy in range(self.n_copies))
            extracted = np.stack([self.features.extract(picture) for picture in (rgb, *copies)])
            return ExtractedImage(extracted, digest.hex(), metadata, make_thumbnail(rgb))
        except UnreadableImageError as error:
            return str(error)
        except Exception as error:
            return f"cannot be measured: {first_line(error)}"


def extract_all(job: ExtractionJob, names: Sequence[str], processes: int) -> Iterator[tuple[str, Outcome]]:
    """Yield each name and its outcome, in order; at most a few hundred are in memory at once.

    Args:
        job: the work on each file.
        names: files below the job's root.
        processes: number of processes that decode; 0 decodes in this one, where a decoder that crashes ends the run.

    Raises:
        UserError: the processes cannot start, as in a script without a `__main__` guard.
    """
    if processes == 0:
        register_heif()
        yield from ((name, job(name)) for name in names)
        return
    _check_that_processes_start()
    at_once = job.features.files_at_once
    chunks = deque(names[start : start + at_once] for start in range(0, len(names), at_once))
    while chunks:
        pending: deque[tuple[Sequence[str], Future[list[Outcome]]]] = deque()
        with _Pool(processes) as pool:
            try:
                while chunks or pending:
                    # Keep a few chunks waiting for each process; results are taken in the order of the names.
                    while chunks and len(pending) < _CHUNKS_AHEAD * processes:
                        pending.append((chunks[0], pool.submit(_run_chunk, job, chunks[0])))
                        chunks.popleft()
                    chunk, future = pending[0]
                    results = future.result(PATIENCE_S)
                    pending.popleft()
                    yield from zip(chunk, results, strict=True)
                return
            except (BrokenProcessPool, FutureTimeoutError):
                pool.kill()
            except BaseException:  # a signal, say, which need not wait for pictures that are being decoded
                pool.kill()
                raise
        # The oldest chunk may hold the file that broke the pool; a new pool takes the others.
        if pending:
            yield from _extract_one_by_one(job, pending[0][0])
        chunks.extendleft(chunk for chunk, _ in reversed(list(pending)[1:]))


def _extract_one_by_one(job: ExtractionJob, names: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
    """Yield each name and its outcome, each from a process of its own, to find the file that breaks one."""
    for name in names:
        with _Pool(1) as pool:
            try:
                yield name, pool.submit(_run_chunk, job, [name]).result(PATIENCE_S)[0]
            except BrokenProcessPool:
                yield name, "crashes its decoder"
            except FutureTimeoutError:
                pool.kill()
                yield name, f"takes more than {PATIENCE_S:g} seconds"


def _check_that_processes_start() -> None:
    """Raise `UserError` where a script without a guard runs again in each process, and so breaks them all."""
    with _Pool(1) as pool:
        try:
            pool.submit(list).result(PATIENCE_S)
        except BrokenProcessPool as error:
            raise UserError(
                'processes that read pictures end as they start; call this below `if __name__ == "__main__":`, or '
                "type data.reading_processes=0"
            ) from error


def _run_chunk(job: ExtractionJob, names: Sequence[str]) -> list[Outcome]:
    """Return the outcome of each name; the processes call this."""
    return [job(name) for name in names]


def _prepare_process() -> None:
    """Set up a fresh process: the parent answers Ctrl-C, and its end is this one's too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    register_heif()


def _exit_with_parent() -> None:
    """Wait for the end of the parent, then exit at once."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Pool:
    """Fresh processes; forked ones could inherit locks that threads of this one hold."""

    def __init__(self, processes: int) -> None:
        self._executor = ProcessPoolExecutor(processes, get_context("spawn"), _prepare_process)

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def submit(self, function: Callable[..., list[Outcome]], *arguments: Any) -> Future[list[Outcome]]:
        """Queue a call."""
        return self._executor.submit(function, *arguments)

    def kill(self) -> None:
        """End processes that hang; those that are gone already count as ended."""
        for process in list((self._executor._processes or {}).values()):
            process.kill()


def available_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ReadingProgress:
    """Count of files read; it is reported after five seconds and then ever less often, at least once a minute.

    Args:
        total: number of files to read.
        report: function that takes a line.
    """

    def __init__(self, total: int, report: Callable[[str], object]) -> None:
        self.total = total
        self.done = 0
        self.measured = 0
        self._report = report
        self._wait_s = 5.0
        self._began = self._reported = time.monotonic()

    def step(self, measured: bool) -> None:
        """Count one file more, and whether it could be measured."""
        self.done += 1
        self.measured += measured
        now = time.monotonic()
        if now - self._reported >= self._wait_s:
            self._reported, self._wait_s = now, min(60.0, 1.5 * self._wait_s)
            self._report(f"pictures: {self.done:,} of {self.total:,} read, {self.per_second:.0f}/s")

    @property
    def per_second(self) -> float:
        """Return the files a second so far."""
        return self.done / max(time.monotonic() - self._began, 1e-9)
