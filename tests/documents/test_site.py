"""The documentation builds as a site without a warning, and every page of it can be found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("material", reason="the site needs mkdocs-material (extra docs)")


def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert "not included in the" not in done.stderr
    for page in ("index.html", "sweeps/index.html", "methods/scan/index.html"):
        text = (tmp_path / "site" / page).read_text(encoding="utf-8")
        assert "<h1" in text
        assert "fonts.googleapis" not in text
