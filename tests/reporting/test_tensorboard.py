"""TensorBoard's view of a run beside its curves, read back as TensorBoard reads it."""

from __future__ import annotations

import csv

import numpy as np
from helpers.command_line import TINY, TINY_DEC
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from deepcluster_pl.reporting.tensorboard import _remove_earlier


def shown(folder, kind):
    events = EventAccumulator(str(folder), size_guidance={"images": 0})
    events.Reload()
    return events.Tags()[kind]


def projected(folder):
    with (folder / "result" / "00000" / "code" / "metadata.tsv").open(newline="", encoding="utf-8") as file:
        names = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return names, np.loadtxt(folder / "result" / "00000" / "code" / "tensors.tsv", ndmin=2)


def test_a_table_has_its_figures_and_its_code_in_the_projector(cli_run):
    run = cli_run(*TINY_DEC)
    assert run.code == 0, run.err
    assert set(shown(run.folder / "result", "images")) == {"map", "confusion", "curves"}
    names, code = projected(run.folder)
    assert [row["id"] for row in names] == [row["id"] for row in run.assignments]
    assert [row["cluster"] for row in names] == [row["cluster"] for row in run.assignments]
    assert code.shape == (len(names), 4)
    assert not (run.folder / "result" / "00000" / "code" / "sprite.png").exists()
    assert "clusters/changed" in shown(run.folder / "fit", "scalars")


def test_images_have_sprites_and_centers_at_every_refresh(cli_run):
    digits = [text for text in TINY if not text.startswith(("data", "n_clusters"))]
    run = cli_run("data=digits", "data.subset.size=100", *digits, "n_clusters=3", "method=idec")
    assert run.code == 0, run.err
    pictures = {"map", "confusion", "curves", "members", "centers", "reconstructions"}
    assert set(shown(run.folder / "result", "images")) == pictures
    assert "clusters/centers" in shown(run.folder / "fit", "images")
    names, _ = projected(run.folder)
    with Image.open(run.folder / "result" / "00000" / "code" / "sprite.png") as sprite:
        assert sprite.width // 8 * (sprite.height // 8) >= len(names) == 100


def test_without_the_logger_nothing_is_written(cli_run):
    run = cli_run(*TINY_DEC, "logger.tensorboard=null")
    assert run.code == 0, run.err
    assert not (run.folder / "result").exists()


def test_files_of_the_users_in_its_folder_stay(tmp_path):
    ours = ["events.out.tfevents.1.host", "projector_config.pbtxt", "00000/code/tensors.tsv"]
    users = ["thesis.doc", "00000/notes.txt", "00000/code/mine.tsv", "sub/events.out.tfevents.1"]
    for name in (*ours, *users):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    _remove_earlier(tmp_path)
    left = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(left) == sorted(users)
