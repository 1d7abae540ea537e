"""Collect the failures that do not end a run: the console shows them, and scores.json lists them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.json_files import read_json

_LOG = logging.getLogger(__name__)
_MOST, _LONGEST = 200, 2000


class RunWarnings:
    """Warnings of one run, in the order in which they arose, those of an earlier attempt first.

    Args:
        report: prints one line.
        file: stores the warnings for a resumed run; None stores nothing.

    Attributes:
        texts: the warnings, without the word "warning".
    """

    def __init__(self, report: Callable[[str], object], file: Path | None = None) -> None:
        self._report, self._file = report, file
        self._lasting = _read(file)
        self.texts = list(self._lasting)

    def add(self, text: str, lasts: bool = True) -> None:
        """Print a warning, and store it; halves of characters, as in names of files, are escaped.

        Args:
            text: the warning.
            lasts: whether a resumed run has it too; one that is found again at the end of every run need not.
        """
        text = text.encode("utf-8", "backslashreplace").decode()
        if text not in self.texts:
            self.texts.append(text)
        if lasts and text not in self._lasting:
            self._lasting.append(text)
            self._store()
        self._report(f"warning: {text}")

    @contextmanager
    def attempt(self, product: str) -> Iterator[None]:
        """Turn any error of the block into a warning, so that the run continues without its product.

        A product that an earlier attempt could not make, and that is made now, is warned of no longer.

        Args:
            product: names the product, such as "report.html".

        >>> warnings = RunWarnings(print)
        >>> with warnings.attempt("report.html"):
        ...     raise KeyError("acc")
        warning: report.html was not made: KeyError: 'acc'
        """
        try:
            yield
        except UserError as error:
            self.add(f"{product} was not made: {first_line(error)}")
        except Exception as error:
            _LOG.debug("%s was not made", product, exc_info=True)  # hydra.verbose=true shows the traceback
            self.add(f"{product} was not made: {type(error).__name__}: {first_line(error)[:300]}")
        else:
            self._drop(f"{product} was not made: ")

    def _drop(self, beginning: str) -> None:
        """Forget the warnings that begin with a text."""
        outdated = [text for text in self._lasting if text.startswith(beginning)]
        if outdated:
            self._lasting = [text for text in self._lasting if text not in outdated]
            self.texts = [text for text in self.texts if text not in outdated]
            self._store()

    def _store(self) -> None:
        """Write the warnings that a resumed run has too; a disk that is full, as many warnings say, is no new one."""
        if self._file is not None:
            with suppress(OSError, UserError), atomic_write(self._file) as file:
                json.dump(self._lasting, file, indent=1)


def _read(file: Path | None) -> list[str]:
    """Return the warnings of an earlier attempt; none where the file is damaged or comes from elsewhere."""
    try:
        found = [] if file is None else read_json(file)
    except (OSError, ValueError):
        return []
    if not isinstance(found, list):
        return []
    return [text[:_LONGEST] for text in found[:_MOST] if isinstance(text, str)]
