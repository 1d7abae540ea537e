"""A spreadsheet cannot take more memory than its size allows: neither by compression nor by a cell far off."""

from __future__ import annotations

import zipfile

import pytest
from helpers.memory import memory_limit

from deepcluster_pl.data.tables.reading import read_table
from deepcluster_pl.errors import UserError

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("python_calamine")


def book(path, far=None):
    made = openpyxl.Workbook()
    for row in [("a", "b"), (1, 2), (3, 4), (5, 7)]:
        made.active.append(row)
    if far:
        made.active[far] = 1
    made.save(path)
    return path


def test_a_cell_far_off_is_refused_before_room_is_made_for_all_between(tmp_path):
    path = book(tmp_path / "far.xlsx", "XFD1048576")
    with memory_limit(20), pytest.raises(UserError, match=r"reach row 1,048,576 and column 16,384.*save the sheet as"):
        read_table(path)


def test_an_archive_that_grows_beyond_measure_is_refused(tmp_path):
    path = book(tmp_path / "bomb.xlsx")
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/media/zeros", "w") as member,
    ):
        for _ in range(70):
            member.write(bytes(2**20))
    with memory_limit(20), pytest.raises(UserError, match=r"it would grow to .* bytes, more than 200 times its size"):
        read_table(path)


def test_memory_is_a_small_multiple_of_what_the_cells_hold(tmp_path):
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet()
    sheet.append([f"x{j}" for j in range(20)])
    for i in range(300):
        sheet.append([i * j % 997 / 7 for j in range(20)])
    made.save(tmp_path / "t.xlsx")
    with memory_limit(20):
        assert len(read_table(tmp_path / "t.xlsx")) == 300
