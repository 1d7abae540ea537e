"""The meaning of a cell's text: a gap, a number as people write it, yes or no, a date."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

MARKERS = (
    "", "NA", "N/A", "n/a", "na", "#N/A", "#NA", "<NA>", "NULL", "Null", "null", "None", "none", "NaN", "nan", "-nan",
    "-NaN", "NaT", "nil", "?", "-", "--", ".", "missing", "Missing", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!",
)  # fmt: skip
"""Cells that stand for a gap."""
_GAPS = frozenset(MARKERS)
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE | re.ASCII)
_DIGITS = r"(?:\d{1,3}(?:[ ,.'’\u00a0\u202f]\d{3})+|\d+)"
_FORMATTED = re.compile(rf"([+-]?)({_DIGITS})(?:([.,])(\d+))?([eE][+-]?\d+)?", re.ASCII)
_UNITS = re.compile(
    r"^(?:[$€£¥₹]|USD|EUR|GBP|CHF|JPY|R\$)\s*|\s*(?:[$€£¥₹%]|USD|EUR|GBP|CHF|JPY|kr|zł)$", re.IGNORECASE
)
_YES = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0, "y": 1.0, "n": 0.0, "t": 1.0, "f": 0.0, "on": 1.0,
        "off": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}  # fmt: skip
_ISO_DATE = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_CLOCK = r"(?:,?[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp]\.?[Mm]\.?)?)?"
_OTHER_DATE = re.compile(
    rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){_CLOCK}|(\d{{1,2}})/(\d{{1,2}})/(\d{{2}}){_CLOCK}", re.ASCII
)
_NAMED_DATE = re.compile(
    rf"(\d{{1,2}})(?:[snr][tdh]|th|\.)?[ -/]+([^\W\d_]{{3,10}})\.?,?[ -/]+(\d{{4}}|\d{{2}}){_CLOCK}"
    rf"|([^\W\d_]{{3,10}})\.?[ -]+(\d{{1,2}})(?:[snr][tdh]|th)?,?[ -]+(\d{{4}}){_CLOCK}"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan ene gen", "feb fév fev", "mar mär", "apr avr abr", "may mai mag", "jun juin giu", "jul juil lug",
         "aug aoû ago", "sep set", "oct okt ott out", "nov", "dec déc dez dic"), start=1,
    ) for name in names.split()
}  # fmt: skip
"""Beginnings of the names of months in six languages of Europe."""
_LONGEST, _MOST_SPELLINGS = 64, 16


def is_gap(cell: str) -> bool:
    """Return whether a cell stands for a gap."""
    return cell.strip() in _GAPS


def is_number(cell: str) -> bool:
    """Return whether a cell is a number as computers write it."""
    return len(cell) <= _LONGEST and _PLAIN.fullmatch(cell.strip()) is not None


def to_number(cell: str, decimal: str = ".") -> float:
    """Return the number that a cell holds, or NaN.

    Args:
        cell: text, such as `12`, `50,000`, `12 %`, `1.234,5` or `€ 7`.
        decimal: the sign before decimals, which decides about `1,234`.

    >>> [to_number(cell) for cell in ("50,000", "12%", "$1,234.50", "(3)")]
    [50000.0, 12.0, 1234.5, nan]
    >>> to_number("1.234,5", ","), to_number("0,75", ",")
    (1234.5, 0.75)
    """
    cell = cell.strip()
    if len(cell) > _LONGEST:
        return np.nan
    if decimal == "." and _PLAIN.fullmatch(cell):
        return float(cell)
    bare = _UNITS.sub("", _UNITS.sub("", cell.replace("−", "-")).strip()).strip()
    match = _FORMATTED.fullmatch(bare)
    if match is None:
        # A sign may stand before the currency
        if bare[:1] in "+-" and len(bare) > 1 and (rest := _UNITS.sub("", bare[1:].strip())) != bare[1:].strip():
            return to_number(bare[0] + rest, decimal)
        return float(bare) if _PLAIN.fullmatch(bare) and decimal == "." else np.nan
    sign, whole, point, decimals, power = match.groups()
    separators = set(re.findall(r"\D", whole))
    # One sign cannot separate thousands and decimals, and two kinds of separators are no number
    if len(separators) > 1 or point in separators or (point and point != decimal) or decimal in separators:
        return np.nan
    return float(f"{sign}{re.sub(r'[^0-9]', '', whole)}.{decimals or '0'}{power or ''}")


def to_numbers(levels: NDArray[Any], decimal: str) -> NDArray[np.float64]:
    """Return the number (L,) of each distinct cell, NaN where it is none."""
    return np.array([to_number(cell, decimal) for cell in levels.tolist()], dtype=np.float64)


def to_yes_no(levels: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return 1 for yes and 0 for no; None unless the distinct cells are the two words of one language of yes and no.

    >>> to_yes_no(np.array(["No", "yes"])), to_yes_no(np.array(["yes", "false"]))
    (array([0., 1.]), None)
    """
    if len(levels) > _MOST_SPELLINGS:
        return None
    words = [cell.strip().lower() for cell in levels.tolist()]
    pairs = ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"}, {"on", "off"})
    if len(set(words)) == 2 and set(words) in pairs:
        return np.array([_YES[word] for word in words])
    return None


def to_dates(levels: NDArray[Any]) -> NDArray[np.datetime64] | None:
    """Return the time of each distinct cell, NaT where it is none; None where fewer than nine of ten are dates.

    Other cells of the column decide about day and month of `03/04/2024`; where none does, the day is first
    after a dot and the month first otherwise.
    """
    cells = [str(cell).strip() for cell in levels.tolist()]
    head = cells[:20]
    if not cells or sum(_looks_like_date(cell) for cell in head) < 0.9 * len(head):
        return None
    others = [match for cell in cells if len(cell) <= _LONGEST and (match := _OTHER_DATE.fullmatch(cell))]
    day_first = any(int(match[1] or match[8]) > 12 for match in others)
    month_first = any(int(match[2] or match[9]) > 12 for match in others)
    if others and not (day_first or month_first):
        day_first = sum("." in cell for cell in cells) * 2 > len(cells)
    out = np.full(len(cells), np.datetime64("NaT"), dtype="datetime64[s]")
    for i, cell in enumerate(cells):
        out[i] = _to_date(cell, day_first)
    return out if np.isnat(out).mean() <= 0.1 else None


def _looks_like_date(cell: str) -> bool:
    """Return whether a cell has the form of a date."""
    if len(cell) > _LONGEST:
        return False
    return any(form.fullmatch(cell) for form in (_ISO_DATE, _OTHER_DATE)) or _named_date(cell) is not None


def _named_date(cell: str) -> list[str] | None:
    """Return year, month, day, hour, minute, second and half of day of a date with the name of its month, or None."""
    if (match := _NAMED_DATE.fullmatch(cell)) is None:
        return None
    groups = match.groups()
    day, word, year, *clock = groups[:7] if groups[0] else (groups[8], groups[7], *groups[9:])
    month = _MONTHS.get(word[:4].lower()) or _MONTHS.get(word[:3].lower())
    return None if month is None else [_full_year(year), str(month), day, *clock]


def _full_year(year: str) -> str:
    """Return a year of four digits; of two digits, those from 70 on belong to the last century."""
    return year if len(year) == 4 else f"{'19' if int(year) >= 70 else '20'}{year}"


def _to_date(cell: str, day_first: bool) -> np.datetime64:
    """Return the time of one cell, or NaT."""
    if len(cell) <= _LONGEST:
        half = ""
        if match := _ISO_DATE.fullmatch(cell):
            year, month, day, *clock = match.groups()
        elif match := _OTHER_DATE.fullmatch(cell):
            day, month, year, *clock, half = match.groups()[:7] if match[1] else match.groups()[7:]
            year = _full_year(year)
            if not day_first:
                day, month = month, day
        elif named := _named_date(cell):
            year, month, day, *clock, half = named
        else:
            return np.datetime64("NaT")
        hour, minute, second = (int(part or 0) for part in clock)
        if half:  # 12 AM is midnight
            hour = hour % 12 + 12 * half.lower().startswith("p")
        try:
            return np.datetime64(f"{year}-{int(month):02d}-{int(day):02d}T{hour:02d}:{minute:02d}:{second:02d}", "s")
        except ValueError:
            pass
    return np.datetime64("NaT")
