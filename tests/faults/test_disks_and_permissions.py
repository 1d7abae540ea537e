"""Full disks, and files that may not be read or written: one line names the file, the fault, and the words to type."""

from __future__ import annotations

import os
import re
import shutil

import numpy as np
import pytest
from helpers.mounts import MAIN, can_mount, mounting, obeying_permissions
from helpers.processes import run_command

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
KMEANS = ("data=array", "method=kmeans", "n_clusters=3", "start.n_init=2", "baselines=none", "logger=none",
          "trainer.accelerator=cpu")  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run beside its data."""
    folder = tmp_path_factory.mktemp("finished")
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(60, 3)).astype("f4"))
    run = run_command([*KMEANS, "data.path=x.npy", "hydra.run.dir=run"], folder)
    assert run.returncode == 0, run.stderr
    return folder


def test_a_disk_that_is_full_before_or_after_the_data_is_a_line(finished, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("needs mounts of its own")
    words = [*KMEANS, f"data.path={finished / 'x.npy'}", f"hydra.run.dir={disk / 'run'}"]
    said = []
    for kilobytes in (4, 24, 32):
        run = run_command(words, tmp_path, program=mounting(("tmpfs", disk, kilobytes * 1024)) + MAIN)
        assert run.returncode == 1
        said.append(run.stderr.replace(str(disk / "run"), "RUN"))
    full = "cannot be written: No space left on device"
    assert said[0] == f"a file in RUN {full}; type the command again\n"
    for line in said[1:]:
        resume = "the earlier file was not changed; type deepcluster resume=RUN to continue"
        assert re.fullmatch(rf"RUN/[\w./]+ {full}; {resume}\n", line), line


# Command line, path that may not be read, and the path that is named
UNREADABLE = [
    ([*KMEANS, "data.path=x.npy"], "x.npy", "x.npy"),
    (["resume={copy}"], "run/config/hydra.yaml", "{copy}/config/hydra.yaml"),
    (["resume={copy}"], "run/config", "{copy}/config/config.yaml"),
    (["resume={copy}"], "run/start.safetensors", "{copy}/start.safetensors"),
    (["resume={copy}"], "run", "{copy}/multirun.yaml"),
    (["predict", "run={copy}", "to=new.csv"], "run/model", "{copy}/model/model.json"),
    (["predict", "run={copy}", "to=new.csv"], "run/model/model.safetensors", "{copy}/model/model.safetensors"),
    (["export", "run={copy}", "format=safetensors", "to=new"], "run/model/model.json", "{copy}/model/model.json"),
    (["table", "run"], "run/scores.json", "run/scores.json"),
    (["--config-dir", "run/config", *KMEANS, "data.path=x.npy"], "run/config", "run/config"),
]


@pytest.mark.parametrize(("words", "denied", "named"), UNREADABLE)
def test_a_file_that_may_not_be_read_is_named_and_never_said_to_be_unwritten(finished, tmp_path, words, denied, named):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    said = denied_access(tmp_path, words, denied, 0)
    assert named.format(copy=tmp_path / "run") in said
    assert re.search(r" cannot be (read|opened)[ :].*Permission denied", said), said
    assert "written" not in said
    assert not list(tmp_path.glob("new*"))


@pytest.mark.parametrize("denied", ["run", "run/model"])
def test_a_folder_that_may_not_be_written_is_named_and_never_said_to_be_unread(finished, tmp_path, denied):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    said = denied_access(tmp_path, ["resume={copy}"], denied, 0o555)
    assert re.match(rf"{tmp_path / denied}(/model.safetensors)? cannot be (locked|written): Permission denied", said)
    assert "read" not in said


def denied_access(folder, words, denied, mode):
    """Type a command while one path has no permissions; return its only line."""
    path = folder / denied
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        words = [word.format(copy=folder / "run") for word in words]
        run = run_command(words, folder, program=obeying_permissions() + MAIN)
    finally:
        path.chmod(before)
    assert (run.returncode, run.stderr.count("\n")) == (1, 1), run.stderr
    return run.stderr
