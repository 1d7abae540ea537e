"""Parquet and Feather with flipped bits end in a line or in a table; small files do not grow without end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers.memory import memory_limit

from deepcluster_pl.data.tables import opening
from deepcluster_pl.errors import UserError

N = 40


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "a": rng.normal(size=N), "b": rng.integers(0, 9, N), "s": rng.choice(["x", "yy"], N), "m": rng.random(N) > 0.5,
        "t": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), "D"),
        "id": [f"k{i}" for i in range(N)],
        "e": [row.tolist() for row in rng.normal(size=(N, 3))], "c": pd.Categorical(rng.choice(["p", "q"], N)),
    })  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_flipped_bits_end_in_a_line_or_in_a_table(frame, array, tmp_path, suffix):
    whole_path, rng = tmp_path / f"whole{suffix}", np.random.default_rng(2)
    frame.to_parquet(whole_path) if suffix == ".parquet" else frame.to_feather(whole_path)
    whole, lines = whole_path.read_bytes(), []
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=rng.integers(1, 4)):
            damaged[place] ^= 1 << int(rng.integers(8))
        try:
            array(f"t{suffix}", bytes(damaged)).setup()
        except UserError as error:
            lines.append(str(error))
    assert len(lines) > 5
    assert not any("\n" in line for line in lines)


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_a_small_file_that_grows_beyond_a_multiple_of_its_size_is_refused(array, tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(opening, "ALWAYS_FINE_BYTES", 2**20)
    zeros = pd.DataFrame({"a": np.zeros(2_000_000)})
    path = tmp_path / f"t{suffix}"
    zeros.to_parquet(path, compression="zstd") if suffix == ".parquet" else zeros.to_feather(path, compression="zstd")
    assert path.stat().st_size < 60_000
    with memory_limit(20), pytest.raises(UserError, match=r"cannot be read as a .*grows? to .*more than 200 times"):
        array(path.name).load()
    with pytest.raises(UserError, match=r"bad\.parquet cannot be read"):
        array("bad.parquet", b"PAR1 nothing").load()


@pytest.mark.parametrize(("suffix", "opened"), [(".gz", "gzip"), (".bz2", "bz2"), (".xz", "lzma")])
def test_compressed_text_is_read_and_a_bomb_is_not(samples, array, tmp_path, suffix, opened, monkeypatch):
    monkeypatch.setattr(opening, "ALWAYS_FINE_BYTES", 2**20)
    module = __import__(opened)
    plain = samples(f"t.csv{suffix}", module.compress(b"a,b\n1,2\n3,5\n"))
    assert plain.x == [[1, 2], [3, 5]]
    with module.open(tmp_path / f"bomb.csv{suffix}", "wb") as file:
        for _ in range(8):
            file.write(b"1,2\n" * 2**16)
    with memory_limit(40), pytest.raises(UserError, match=r"grows to more than 200 times its size"):
        array(f"bomb.csv{suffix}").load()


def test_a_parquet_column_of_a_kind_that_is_no_feature_is_left_out(samples, tmp_path):
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"a": [1.5, 2, 4], "b": [3, 4, 1], "where": [{"x": 1}, {"x": 2}, {"x": 3}]})
    table.to_parquet(tmp_path / "t.parquet")
    found = samples("t.parquet")
    assert found.names == ["a", "b"]
    assert "where (a column of struct" in found.text


@pytest.mark.parametrize(
    "row", ["1,2,3\n", "1,,\n", "a,b,c\n", "{i},x{i},y{i}\n"], ids=["numbers", "gaps", "categories", "all different"]
)
def test_text_takes_at_most_twenty_times_its_size(array, row):
    content = "p,q,r\n" + "".join(row.format(i=i * 7919) for i in range(60_000))
    with memory_limit(20 * len(content) / 2**20 + 40):
        try:
            array("t.csv", content).setup()
        except UserError as error:
            assert "no feature columns" in str(error)  # noqa: PT017 - identifiers and constants are no features
