"""An installed extra makes the default better, and never overrules what was typed."""

from __future__ import annotations

import pytest

from deepcluster_pl.config import extras
from deepcluster_pl.config.compose import compose_checked


def composed(monkeypatch, installed, *typed):
    monkeypatch.setattr(extras, "objects_installed", lambda: installed)
    found = compose_checked(["experiment=photos", "data.root=.", *typed])
    assert found.problems == []
    return found, found.cfg.data


def test_with_the_extra_photos_are_told_by_their_objects(monkeypatch):
    found, data = composed(monkeypatch, True)
    assert data.features.blocks[0] == "objects"
    assert data.copies == 0
    assert found.reasons == ["data=photos data.copies=0, because the extra photos is installed"]


def test_without_it_they_are_told_by_descriptors(monkeypatch):
    found, data = composed(monkeypatch, False)
    assert "objects" not in data.features.blocks
    assert (data.copies, found.added) == (6, [])


@pytest.mark.parametrize(
    ("typed", "copies", "blocks"),
    [("data=images", 6, 8), ("data.copies=2", 2, 9), ("data.features.blocks=[palette]", 0, 1)],
)
def test_what_was_typed_stays(monkeypatch, typed, copies, blocks):
    _, data = composed(monkeypatch, True, typed)
    assert (data.copies, len(data.features.blocks)) == (copies, blocks)


def test_other_experiments_are_left_alone(monkeypatch):
    monkeypatch.setattr(extras, "objects_installed", lambda: True)
    assert compose_checked(["experiment=wine"]).added == []
