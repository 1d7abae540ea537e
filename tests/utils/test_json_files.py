"""JSON of others is read in bounded memory."""

from __future__ import annotations

import os

import pytest
from helpers.memory import memory_limit

from deepcluster_pl.utils.json_files import read_json


def test_content_comes_back(tmp_path):
    (tmp_path / "a.json").write_text('{"größe": [1, null]}', encoding="utf-8")
    assert read_json(tmp_path / "a.json") == {"größe": [1, None]}


def test_a_file_of_terabytes_is_not_read(tmp_path):
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(2**40)
    with memory_limit(40), pytest.raises(ValueError, match=r"a\.json has more than 16,777,216 bytes"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"[" * 200_000, "nested too deeply"), (b"\xff\xfe", "utf-8"), (b"", "Expecting value"), (b"9" * 5000, "4300")],
)
def test_damaged_and_hostile_content_is_a_value_error(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_json(tmp_path / "a.json")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(ValueError, match="no regular file"):
        read_json(tmp_path / "a.json")


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "a.json")
