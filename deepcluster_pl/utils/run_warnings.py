"""Collect the failures that do not end a run: the console shows them, and scores.json lists them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deepcluster_pl.errors import UserError, first_line

_LOG = logging.getLogger(__name__)


class RunWarnings:
    """Warnings of one run, in the order in which they arose.

    Args:
        report: prints one line.

    Attributes:
        texts: the warnings, without the word "warning".
    """

    def __init__(self, report: Callable[[str], object]) -> None:
        self.texts: list[str] = []
        self._report = report

    def add(self, text: str) -> None:
        """Print a warning, and store it; halves of characters, as in names of files, are escaped."""
        text = text.encode("utf-8", "backslashreplace").decode()
        self.texts.append(text)
        self._report(f"warning: {text}")

    @contextmanager
    def attempt(self, product: str) -> Iterator[None]:
        """Turn any error of the block into a warning, so that the run continues without its product.

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
