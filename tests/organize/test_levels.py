"""Pictures are placed by coarser and finer groups, and choices apply at the level that they were saved at."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.organizing import run_organize

from deepcluster_pl.evaluation.levels import Level, Levels
from deepcluster_pl.reporting.gallery import partition_digest


@pytest.fixture
def leveled(library):
    """The library's three groups of pictures: 0 and 2 are one coarse group, and 1 has two parts."""
    _, run, names = library
    clusters = np.arange(16) % 3
    cells = np.where(clusters == 0, 0, np.where(clusters == 2, 3, 1 + (np.arange(16) > 7)))
    owner = np.array([0, 1, 1, 2])
    levels = [
        Level("coarse", np.array([0, 1, 1, 0]), [None, None], [11, 5]),
        Level("chosen", owner, [0, 1, 0], [6, 5, 5]),
        Level("fine", np.arange(4), [0, 1, 1, 2], [6, 3, 2, 5]),
    ]
    Levels({"fit": cells}, owner, np.array([[1, 2], [0, 3], [4, 5]]), [0.9, 0.2, 0.1], levels).save(run / "levels.json")
    return run, names, clusters, cells


def folders(target):
    return {path.name: len(list(path.iterdir())) for path in target.iterdir() if path.is_dir()}


def test_coarser_and_finer_groups_have_folders_of_their_own(leveled, tmp_path):
    run, _, _, _ = leveled
    assert run_organize(f"run={run}", f"to={tmp_path / 'a'}", "level=coarse", "apply=true") == 0
    assert folders(tmp_path / "a") == {"groups 0, 2": 11, "group 1": 5}
    assert run_organize(f"run={run}", f"to={tmp_path / 'b'}", "level=fine", "apply=true") == 0
    assert folders(tmp_path / "b") == {"group 0": 6, "group 1 part 1": 3, "group 1 part 2": 2, "group 2": 5}


def test_choices_apply_at_the_level_that_they_were_saved_at(leveled, tmp_path):
    run, names, clusters, _ = leveled
    choices = {
        "schema": 1, "partition": partition_digest(names, clusters), "level": "fine",
        "groups": [{"clusters": [2], "name": "late ones", "can_go": False}], "can_go": [names[0]],
    }  # fmt: skip
    (run / "gallery.json").write_text(json.dumps(choices))
    assert run_organize(f"run={run}", f"to={tmp_path / 'a'}", "apply=true") == 0
    assert folders(tmp_path / "a") == {"group 0": 5, "group 1 part 1": 3, "late ones": 2, "group 2": 5, "can go": 1}
    assert run_organize(f"run={run}", f"to={tmp_path / 'b'}", "level=coarse", "apply=true") == 0
    assert folders(tmp_path / "b") == {"groups 0, 2": 10, "group 1": 5, "can go": 1}


def test_a_level_that_is_not_there_is_one_line(leveled, capsys):
    run, _, _, _ = leveled
    assert run_organize(f"run={run}", "to=x", "level=coarsest") == 1
    assert "level=coarsest: this run has coarse, chosen, fine; type one of them" in capsys.readouterr().err
    (run / "levels.json").unlink()
    assert run_organize(f"run={run}", "to=x", "level=fine") == 1
    assert "levels.json cannot be read" in capsys.readouterr().err
