"""Many files decoded and measured in processes of their own: what one file breaks stops no other."""

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

from deepcluster_pl.data.images.decoding import UnreadableImageError, add_heif, decode
from deepcluster_pl.data.images.descriptors import SMALLEST_SIDE
from deepcluster_pl.data.images.exif import ImageMetadata
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.data.images.random_views import distorted, generator_of
from deepcluster_pl.data.images.thumbnails import thumbnail_of
from deepcluster_pl.errors import UserError

PATIENCE_S = 120.0
"""Seconds that a handful of files may take; one that takes as long alone is left out."""
_FILES_AT_ONCE = 8
_AHEAD = 4


class Measured(NamedTuple):
    """What was made of a file.

    Attributes:
        kept: (1 + copies, …) of the picture, then of its distorted copies.
        digest: SHA-256 of the file's bytes, in hexadecimal.
        facts: size, date and place.
        thumbnail: a small JPEG of the picture.
    """

    kept: NDArray[Any]
    digest: str
    facts: ImageMetadata
    thumbnail: bytes


Outcome = Measured | str
"""A picture, or the reason why there is none."""


@dataclass(frozen=True)
class Job:
    """What to make of each file; it travels to the processes.

    Attributes:
        root: folder that names begin at.
        features: what to measure.
        n_copies: distorted copies of each picture.
        max_megapixels: larger pictures are not decoded.
    """

    root: str
    features: Features
    n_copies: int
    max_megapixels: float

    def __call__(self, name: str) -> Outcome:
        """One file; never raises."""
        try:
            rgb, digest, facts = decode(Path(self.root, name), self.features.side, SMALLEST_SIDE, self.max_megapixels)
            copies = (distorted(rgb, SMALLEST_SIDE, generator_of(digest, copy)) for copy in range(self.n_copies))
            kept = np.stack([self.features.of_picture(picture) for picture in (rgb, *copies)])
            return Measured(kept, digest.hex(), facts, thumbnail_of(rgb))
        except UnreadableImageError as error:
            return str(error)
        except Exception as error:
            return f"cannot be measured: {(str(error) or type(error).__name__).splitlines()[0]}"


def outcomes(job: Job, names: Sequence[str], processes: int) -> Iterator[tuple[str, Outcome]]:
    """Each name and what became of it, in order; at most a few hundred are in memory at once.

    Args:
        job: what to do with each.
        names: files below the job's root.
        processes: how many decode; 0 decodes in this one, where a decoder that crashes ends the run.
    """
    if processes == 0:
        add_heif()
        yield from ((name, job(name)) for name in names)
        return
    _check_that_processes_start()
    chunks = deque(names[start : start + _FILES_AT_ONCE] for start in range(0, len(names), _FILES_AT_ONCE))
    while chunks:
        under_way: deque[tuple[Sequence[str], Future[list[Outcome]]]] = deque()
        with _Pool(processes) as pool:
            try:
                while chunks or under_way:
                    while chunks and len(under_way) < _AHEAD * processes:
                        under_way.append((chunks[0], pool.submit(_all_of, job, chunks[0])))
                        chunks.popleft()
                    some, future = under_way[0]
                    found = future.result(PATIENCE_S)
                    under_way.popleft()
                    yield from zip(some, found, strict=True)
                return
            except (BrokenProcessPool, FutureTimeoutError):
                pool.kill()
        if under_way:  # the oldest may be the one that broke it; the rest begin anew
            yield from _one_by_one(job, under_way[0][0])
        chunks.extendleft(some for some, _ in reversed(list(under_way)[1:]))


def _one_by_one(job: Job, names: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
    for name in names:
        with _Pool(1) as pool:
            try:
                yield name, pool.submit(_all_of, job, [name]).result(PATIENCE_S)[0]
            except BrokenProcessPool:
                yield name, "crashes its decoder"
            except FutureTimeoutError:
                pool.kill()
                yield name, f"takes more than {PATIENCE_S:g} seconds"


def _check_that_processes_start() -> None:
    """`UserError` where a script without a guard begins anew in each of them, and so breaks them all."""
    with _Pool(1) as pool:
        try:
            pool.submit(list).result(PATIENCE_S)
        except BrokenProcessPool as error:
            raise UserError(
                'processes that read pictures end as they start; call this below `if __name__ == "__main__":`, or '
                "type data.reading_processes=0"
            ) from error


def _all_of(job: Job, names: Sequence[str]) -> list[Outcome]:
    return [job(name) for name in names]


def _ready() -> None:
    """In a fresh process: Ctrl-C is the first one's to answer, and without the first one there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    add_heif()


def _end_with_the_first() -> None:
    first = parent_process()
    if first is not None:
        first.join()
        os._exit(1)


class _Pool:
    """Fresh processes; forked ones could inherit locks that threads of this one hold."""

    def __init__(self, processes: int) -> None:
        self._pool = ProcessPoolExecutor(processes, get_context("spawn"), _ready)

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def submit(self, function: Callable[..., list[Outcome]], *arguments: Any) -> Future[list[Outcome]]:
        return self._pool.submit(function, *arguments)

    def kill(self) -> None:
        """End processes that hang; those that are gone already count as ended."""
        for process in list((self._pool._processes or {}).values()):
            process.kill()


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Rate:
    """How far the reading is, said after five seconds and then ever less often, at least once a minute.

    Args:
        total: files to read.
        say: takes a line.
    """

    def __init__(self, total: int, say: Callable[[str], None]) -> None:
        self.total = total
        self.done = 0
        self.measured = 0
        self._say = say
        self._wait_s = 5.0
        self._began = self._said = time.monotonic()

    def step(self, measured: bool) -> None:
        """One file more, of which something was made or not."""
        self.done += 1
        self.measured += measured
        now = time.monotonic()
        if now - self._said >= self._wait_s:
            self._said, self._wait_s = now, min(60.0, 1.5 * self._wait_s)
            self._say(f"pictures: {self.done:,} of {self.total:,} read, {self.per_second:.0f}/s")

    @property
    def per_second(self) -> float:
        """Files a second so far."""
        return self.done / max(time.monotonic() - self._began, 1e-9)
