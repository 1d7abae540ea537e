"""Warnings are printed once and stored; no error but an interruption gets through."""

from __future__ import annotations

import pytest

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.run_warnings import RunWarnings


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("first\nsecond"), "ValueError: first"),
        (UserError("no room"), "no room"),
        (MemoryError(), "MemoryError: MemoryError"),
        (ValueError("\ud800"), "ValueError: \\ud800"),
    ],
)
def test_an_error_becomes_one_line_that_can_be_printed(error, reason):
    lines = []
    warnings = RunWarnings(lines.append)
    with warnings.attempt("map.png"):
        raise error
    assert warnings.texts == [f"map.png was not made: {reason}"]
    assert lines == [f"warning: map.png was not made: {reason}"]
    assert lines[0].encode()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_passed_on(error):
    warnings = RunWarnings(print)
    with pytest.raises(error), warnings.attempt("map.png"):
        raise error
    assert warnings.texts == []
