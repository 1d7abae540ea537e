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


def test_a_later_attempt_has_the_earlier_warnings_but_for_what_it_makes_now_or_finds_again(tmp_path):
    first = RunWarnings(print, tmp_path / "warnings.json")
    for product in ("the cache", "map.png"):
        with first.attempt(product):
            raise ValueError("no room")
    first.add("sizes are uneven", lasts=False)
    lines = []
    second = RunWarnings(lines.append, tmp_path / "warnings.json")
    with second.attempt("map.png"):
        pass
    second.add("the cache was not made: ValueError: no room")
    assert second.texts == ["the cache was not made: ValueError: no room"]
    assert len(lines) == 1
    assert RunWarnings(print, tmp_path / "warnings.json").texts == second.texts


@pytest.mark.parametrize("content", ["", "[", "{}", "[1, null]", "7", "\0"])
def test_a_damaged_file_of_warnings_says_nothing(tmp_path, content):
    (tmp_path / "warnings.json").write_text(content)
    assert RunWarnings(print, tmp_path / "warnings.json").texts == []


def test_warnings_that_cannot_be_stored_are_warnings_still(tmp_path):
    (tmp_path / "file").write_text("no folder")
    warnings = RunWarnings(print, tmp_path / "file" / "warnings.json")
    warnings.add("the disk is full")
    assert warnings.texts == ["the disk is full"]
