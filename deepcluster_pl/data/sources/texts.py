"""Source of texts: a column of a table, the lines of a file, or a folder with a file for each document."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.data.options import CommonOptions
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.sources.tabular import to_ids, to_labels
from deepcluster_pl.data.tables.casts import as_text
from deepcluster_pl.data.tables.frame import Frame, Text
from deepcluster_pl.data.tables.names import nearest, shorten
from deepcluster_pl.data.tables.opening import table_suffix
from deepcluster_pl.data.tables.preparation import Choice
from deepcluster_pl.data.tables.reading import TABLE_SUFFIXES, TextOptions, read_table
from deepcluster_pl.errors import UserError

DOCUMENT_SUFFIXES = (".txt", ".md", ".text")
_MOST_BYTES, _MOST_LINE_BYTES = 80_000, 2**30
_COLUMN, _MOST_SHOWN = "text", 160


class Texts(ClusteringData):
    """Texts by their words: tf-idf, its components, and rows of length 1, so that distances are those of cosines.

    Args:
        path: a table whose `column` holds a text in each row; a .txt or .md file with a text on each line; or a folder,
            each of whose .txt and .md files is a text.
        column: of a table; null = the one with the longest cells.
        label_column: column of a table that holds known classes.
        id_column: column of a table that names the texts; null = row numbers.
        labels: of a folder: `folder` makes a file's folder its label, to score with; `none` has no labels.
        common: see `CommonOptions`.
    """

    def __init__(
        self,
        path: str | None,
        column: str | int | None,
        label_column: str | int | None,
        id_column: str | int | None,
        labels: Literal["folder", "none"],
        **common: Unpack[CommonOptions],
    ) -> None:
        super().__init__(common)
        self.path = path
        self.column, self.label_column, self.id_column = (
            None if name is None else str(name) for name in (column, label_column, id_column)
        )
        self.labels = labels
        self._texts = Text(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=object))

    def load(self) -> Table:
        """Read the texts; their words are counted once it is known which are fitted."""
        if not self.path:
            raise UserError("data.path is missing; type data.path=<table, file of lines or folder of .txt files>")
        path = Path(self.path).expanduser()
        if path.is_dir():
            return self._from_folder(path)
        if not path.is_file():
            raise UserError(f"data.path={self.path}: no such file or folder")
        if path.suffix.lower() in DOCUMENT_SUFFIXES:
            self._check_no_columns(path)
            return self._from_lines(path)
        if (suffix := table_suffix(path)) not in TABLE_SUFFIXES:
            raise UserError(
                f"data.path={path}: found the suffix {suffix!r}, expected a table ({', '.join(TABLE_SUFFIXES)}), a "
                f".txt file with a text on each line, or a folder of .txt files"
            )
        return self._from_frame(read_table(path, TextOptions(None, None, None, None)))

    def excerpt(self, name: PartName, row: int) -> str | None:
        """Return the beginning of a text, in one line."""
        code = self._texts.codes[self.part(name).rows[row]]
        return "" if code < 0 else " ".join(str(self._texts.levels[code])[:_MOST_SHOWN].split())

    def _from_frame(self, frame: Frame) -> Table:
        """Take the column of texts, and those of ids and labels."""
        name = self._text_column(frame)
        for option in ("label_column", "id_column"):
            known = getattr(self, option)
            if known is not None and known not in frame:
                if self.preparation is None:
                    raise UserError(f"{frame.source} has no column {known!r}; {nearest(known, frame.names)}")
                self.report(f"{frame.source} has no column {known!r}, so there are no {option.split('_')[0]}s")
                setattr(self, option, None)
        ids = range(len(frame)) if self.id_column is None else to_ids(frame.column(self.id_column))
        labels = None if self.label_column is None else to_labels(frame.column(self.label_column), frame.decimal)
        table = self._table(frame.source, name, as_text(frame.column(name)), ids, labels)
        assert table.frame is not None
        table.frame.place, table.frame.gap_text = frame.place, frame.gap_text
        return table

    def _text_column(self, frame: Frame) -> str:
        """Return the name of the column that holds the texts."""
        if self.preparation is not None:  # of a saved model, which misses it by name
            return (
                self.preparation.columns[0]
                if self.preparation.columns[0] in frame
                else _missing(self.preparation.columns[0], frame)
            )
        if self.column is not None:
            return self.column if self.column in frame else _missing(self.column, frame)
        lengths = {
            name: float(np.mean([len(str(level)) for level in column.levels]))
            for name, column in frame.others.items()
            if isinstance(column, Text) and len(column.levels) and name not in (self.label_column, self.id_column)
        }
        if not lengths:
            raise UserError(f"{frame.source}: no column holds text; found {shorten(frame.names)}")
        found = max(lengths, key=lambda name: lengths[name])
        self.report(f"texts: column {found!r}; type data.column=<name> for another one")
        return found

    def _from_lines(self, path: Path) -> Table:
        """Take each line that is not empty as a text; its number in the file is its id."""
        if path.stat().st_size > _MOST_LINE_BYTES:
            raise UserError(f"{path} has more than {_MOST_LINE_BYTES:,} bytes; make it a table such as .parquet")
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            lines = [(number, line.strip()) for number, line in enumerate(file, 1)]
        kept = [(number, line) for number, line in lines if line]
        if not kept:
            raise UserError(f"{path} holds no text")
        numbers, texts = zip(*kept, strict=True)
        return self._table(path.name, _COLUMN, _column_of(list(texts)), list(numbers), None)

    def _from_folder(self, root: Path) -> Table:
        """Take each document below a folder as a text; links are not followed."""
        self._check_no_columns(root)
        names = sorted(
            os.path.relpath(os.path.join(folder, name), root)
            for folder, _, files in os.walk(root)
            for name in files
            if name.lower().endswith(DOCUMENT_SUFFIXES) and not name.startswith(".")
        )
        files = [root / name for name in names]
        is_plain = [file.is_file() and not file.is_symlink() for file in files]
        if left_out := len(files) - sum(is_plain):
            self.report(f"{left_out} links and other special files of {root} are left out")
        names = [name.replace(os.sep, "/") for name, plain in zip(names, is_plain, strict=True) if plain]
        if not names:
            raise UserError(f"data.path={root}: found no files of {', '.join(DOCUMENT_SUFFIXES)}")
        texts = [_read_document(file) for file, plain in zip(files, is_plain, strict=True) if plain]
        labels = np.array([os.path.dirname(name) for name in names]) if self.labels == "folder" else None
        return self._table(root.name, _COLUMN, _column_of(texts), names, labels)

    def _check_no_columns(self, path: Path) -> None:
        """Raise `UserError` for options of a table where there is none; a model's own column is not needed."""
        for option in ("column", "label_column", "id_column"):
            if getattr(self, option) is not None and self.preparation is None:
                raise UserError(f"data.{option} is for tables; {path.name} has no columns")

    def _table(
        self,
        source: str,
        name: str,
        column: Text,
        ids: range | list[int | str] | list[str],
        labels: NDArray[np.generic] | None,
    ) -> Table:
        """Return texts as a table with a single column."""
        if self.preparation is not None:
            name = self.preparation.columns[0]
        self._texts = column
        self.choice = Choice(only=[name], typed={name: "text"})
        empty = np.empty((len(column.codes), 0))
        frame = Frame(source, [name], empty, [], {name: column})
        return Table(np.empty((len(frame), 0), dtype=np.float32), ids, labels, frame=frame)


def _missing(name: str, frame: Frame) -> str:
    """Raise `UserError` about a column that is not there."""
    raise UserError(f"{frame.source} has no column {name!r}; {nearest(name, frame.names)}")


def _column_of(texts: list[str]) -> Text:
    """Return a column of texts, each distinct one stored once."""
    places: dict[str, int] = {}
    codes = np.array([places.setdefault(text, len(places)) for text in texts], dtype=np.int32)
    return Text(codes, np.array(list(places), dtype=object))


def _read_document(file: Path) -> str:
    """Return the beginning of a document; bytes that are no UTF-8 become a sign of their own."""
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from error
