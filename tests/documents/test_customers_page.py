"""The page about a customer table: every command runs as it stands, and prints what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "customers.md").read_text(encoding="utf-8")
QUICK = ("method=kmeans", "n_clusters=4", "baselines=none", "data.subset.size=300")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.slow
def test_the_page_from_start_to_finish(deepcluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    commands = [shlex.split(line)[1:] for block in blocks("bash") for line in block.strip().splitlines()]
    outcomes = []
    for words in commands:
        outcomes.append(deepcluster(*words, *(() if words[0] == "predict" else QUICK)))
        assert outcomes[-1].code == 0, outcomes[-1].err
    printed = [line.strip() for line in re.findall(r"^    (columns.*)$", PAGE, re.MULTILINE)]
    assert all(line in outcomes[0].out for line in printed)
    assert "columns, categories: visits" in outcomes[1].out
    assert "city (as typed), joined (as typed)" in outcomes[2].out
    assert "not used, because the run did not know them: channel" in outcomes[3].err
    assert len(pd.read_csv(tmp_path / "new_groups.csv")) == 40
    assert re.search(r"\d,\d{3}</td>", (tmp_path / "customers" / "report.html").read_text(encoding="utf-8"))


def test_the_python_of_the_page_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    with pytest.warns(UserWarning, match="columns left out: customer_id"):
        exec(blocks("python")[0], {})
    assert "'joined': 'date'" in capsys.readouterr().out
