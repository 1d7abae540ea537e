"""Names of the groups of a run: the table groups.csv, which a person may change, or those in assignments.csv."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.utils.atomic_files import atomic_write

_COLUMNS = ("cluster", "name", "samples")
_MOST_BYTES, _LONGEST = 2**24, 200


def save_group_names(path: Path, names: Sequence[str], sizes: Sequence[int]) -> None:
    """Write a line for each group.

    Args:
        path: the CSV file.
        names: suggested name of each cluster.
        sizes: its fitted samples.
    """
    with atomic_write(path) as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows((k, name, size) for k, (name, size) in enumerate(zip(names, sizes, strict=True)))


def read_group_names(path: Path, n_clusters: int) -> list[str] | None:
    """Return the name of each group, as a person may have changed it; None where the run named no groups.

    A spreadsheet may have saved the file with semicolons, in Windows' encoding, or with its lines in another order.

    Args:
        path: groups.csv of a run folder.
        n_clusters: K.

    Returns:
        Names (K,), without line ends; a cluster that the file does not name is called `group <number>`.

    Raises:
        UserError: the file is no such table.
    """
    if not path.is_file():
        return None
    names = [f"group {k}" for k in range(n_clusters)]
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")
        head = text.split("\n", 1)[0]
        delimiter = max((",", ";", "\t"), key=head.count)
        for row in csv.DictReader(text.splitlines(), delimiter=delimiter):
            name = " ".join(str(row["name"] or "").split())[:_LONGEST]
            cluster = int(row["cluster"])
            if name and 0 <= cluster < n_clusters:
                names[cluster] = name
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise UserError(
            f"{path} holds no names of groups ({first_line(error)[:100]}); expected lines of {', '.join(_COLUMNS)}, "
            f"or no such file"
        ) from error
    return names


def suggested_group_names(path: Path, n_clusters: int) -> list[str] | None:
    """Return the name that a run suggested for each group, from its table of samples.

    Args:
        path: assignments.csv of a run folder.
        n_clusters: K.

    Returns:
        Names (K,); a cluster without samples is called `group <number>`. None where the run named no groups.

    Raises:
        UserError: the file is no such table.
    """
    if not path.is_file():
        return None
    names: dict[int, str] = {}
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            for row in csv.DictReader(file):
                if "name" not in row:
                    return None
                names.setdefault(int(row["cluster"]), " ".join(str(row["name"] or "").split())[:_LONGEST])
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise UserError(f"{path} is no table of a run's samples ({first_line(error)[:100]})") from error
    return [names.get(k) or f"group {k}" for k in range(n_clusters)]
