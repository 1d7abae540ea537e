"""What the documents point at exists: files behind links, and tests that are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(file.relative_to(ROOT).as_posix() for file in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file(document):
    file = ROOT / document
    targets = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8"))]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (file.parent / target).exists()] == []


@pytest.mark.parametrize(("document", "least"), [("pitfalls.md", 14), ("reliability.md", 30)])
def test_every_test_that_a_document_names_is_there(document, least):
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", (ROOT / "docs" / document).read_text(encoding="utf-8"))
    assert len(named) > least
    absent = [f"{file}::{test}" for file, test in named if f"def {test}(" not in (ROOT / "tests" / file).read_text()]
    assert absent == []
