"""Paths reach the file system as they were typed, and are quoted only where Hydra would read something into them."""

from __future__ import annotations

import os

import pytest

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.quoting import quote_paths

PLAIN = ["/a/b-c/d.e", "./x/y", "../q/r_1", "a/true", "null/1e3", "~/Pictures", "a//b", "x/-1", "/1/2.5/inf", "/x/"]
OTHERS = ["/", "..", "true", "12", "1e3", "-a/b", "/tmp/=x", "a b/c", "a,b/c", "it's/here", "[x]/y", "{a:b}/c", "ü/é",
          "a:b/c", "#/c", "a/${now}", "back\\slash/x", "trailing/\\", "a/\tb", "%/x", "@/x"]  # fmt: skip


@pytest.mark.parametrize("path", [*PLAIN, *OTHERS])
def test_a_path_arrives_as_it_was_typed(path):
    composition = compose_checked(["data=mnist", *quote_paths([f"data.root={path}"])])
    assert composition.problems == []
    assert composition.cfg.data.root == os.path.expanduser(path)


@pytest.mark.parametrize("path", PLAIN)
def test_a_plain_path_is_recorded_as_it_is(path):
    assert quote_paths([f"data.root={path}"]) == [f"data.root={os.path.expanduser(path)}"]
