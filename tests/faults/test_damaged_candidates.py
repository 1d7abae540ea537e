"""Folders of candidates that were damaged since a run was killed: one line, or the same choice; never another one."""

from __future__ import annotations

import json
import shutil

import pytest
from helpers.command_line import TINY_RAW
from helpers.processes import run_command

from deepcluster_pl.runs.candidate_record import read_record

BLOBS = (*TINY_RAW[:4], "n_clusters=3", "trainer.accelerator=cpu", "baselines=none", "logger.tensorboard=null")
AUTO = (*BLOBS, "method=auto", "auto.candidates=[kmeans,graph]")
STUDENT = (
    *BLOBS, "method=kmeans", "student=mlp", "student.net.dims=[32,16]", "student.rounds=2", "student.least_steps=16",
    "student.most_steps=16", "student.batch_size=32",
)  # fmt: skip


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A run that was killed before its scores, and its labels."""
    folder = tmp_path_factory.mktemp("auto") / "run"
    done = run_command([*AUTO, f"hydra.run.dir={folder}"], folder.parent)
    assert done.returncode == 0, done.stderr
    labels = (folder / "assignments.csv").read_text()
    for name in ("scores.json", "assignments.csv"):
        (folder / name).unlink()
    return folder, labels


def cut(file):
    file.write_bytes(file.read_bytes()[:100])


def flip(file):
    content = bytearray(file.read_bytes())
    content[-20] ^= 0x10
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage", "words"), [("kmeans", cut, "is damaged or no safetensors"), ("graph", flip, "checksum")]
)
def test_a_damaged_start_of_a_candidate_ends_a_resumed_run_in_one_line_and_without_it_the_result_is_the_same(
    killed, cli_run, tmp_path, name, damage, words
):
    shutil.copytree(killed[0], tmp_path / "run")
    file = tmp_path / "run" / "candidates" / name / "start.safetensors"
    damage(file)
    refused = cli_run(f"resume={tmp_path}/run")
    assert (refused.code, refused.err.count("\n")) == (1, 1), refused.err
    assert refused.err.startswith(f"{file} ")
    assert words in refused.err
    assert "delete it, and the initialization is computed again" in refused.err
    file.unlink()
    resumed = cli_run(f"resume={tmp_path}/run")
    assert resumed.code == 0, resumed.err
    assert (tmp_path / "run" / "assignments.csv").read_text() == killed[1]


def test_a_damaged_round_of_a_student_ends_a_resumed_run_in_one_line(cli_run):
    run = cli_run(*STUDENT)
    assert run.code == 0, run.err
    file = run.folder / "checkpoints" / "student_1.ckpt"
    whole = file.read_bytes()
    for damage in (cut, flip):
        file.write_bytes(whole)
        damage(file)
        (run.folder / "scores.json").unlink(missing_ok=True)
        refused = cli_run(f"resume={run.folder}")
        assert (refused.code, refused.err.count("\n")) == (1, 1), refused.err
        assert f"{file} is damaged" in refused.err


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ({"seconds": 1.5, "problem": ""}, (1.5, "")),
        ({"seconds": "1e999", "problem": "a\n\x1b[31mb"}, (0.0, r"a \x1b[31mb")),
        ({"seconds": -1, "problem": "x" * 9999}, (0.0, "x" * 500)),
        ({"seconds": None, "problem": ""}, (0.0, "")), ([], (0.0, "")), ({"seconds": 10**400}, (0.0, "")),
    ],
)  # fmt: skip
def test_a_record_from_elsewhere_prints_one_plain_line(tmp_path, content, read):
    (tmp_path / "candidate.json").write_text(json.dumps(content))
    assert read_record(tmp_path / "candidate.json") == read
