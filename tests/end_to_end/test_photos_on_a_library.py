"""The default recipe on a real library, a folder for each group, where there is one to test with."""

from __future__ import annotations

import json

import pytest
from helpers.processes import run_command


@pytest.mark.slow
@pytest.mark.realdata
def test_the_default_recipe_is_as_good_as_its_page_says(real_data, tmp_path):
    root = real_data / "photos"
    if not root.is_dir():
        pytest.skip(f"{real_data} holds no photos/, a folder for each group")
    n_groups = sum(folder.is_dir() for folder in root.iterdir())
    command = [
        "experiment=photos", f"data.root={root}", "data.labels=folder",
        f"n_clusters={n_groups}", "trainer.accelerator=cpu", "baselines=none",
        f"cache_dir={tmp_path / 'cache'}", f"hydra.run.dir={tmp_path / 'run'}",
    ]  # fmt: skip
    done = run_command(command, tmp_path)
    assert done.returncode == 0, done.stderr
    fit = json.loads((tmp_path / "run" / "scores.json").read_text())["fit"]
    assert fit["acc"] >= 0.52
    assert fit["nmi"] >= 0.45
    assert not fit["collapsed"]
