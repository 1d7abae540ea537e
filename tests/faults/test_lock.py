"""Two runs and one folder, a full disk, a folder that cannot be written."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal

import pytest
from faults.test_kill import start, wait_for
from helpers.command_line import TINY_DEC
from helpers.processes import CommandProcess, run_command

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.locking import folder_lock

LONG = (*TINY_DEC, "fit.max_steps=1000000")


def test_a_second_run_in_a_folder_is_refused_and_names_the_first(cli_run, tmp_path):
    folder = tmp_path / "shared"
    first = start(folder, *LONG)
    try:
        wait_for(first, (folder / "fit" / "metrics.csv").exists)
        resumed = cli_run(f"resume={folder}")
        anew = cli_run(*TINY_DEC, f"hydra.run.dir={folder}")
        assert first.poll() is None
    finally:
        first.kill()
        first.communicate()
    assert (resumed.code, anew.code) == (1, 1)
    assert re.search(rf"{folder} is in use by process {first.pid} on \S+ since 20", resumed.err)
    assert "holds a run already" in anew.err


def test_a_lock_whose_process_was_killed_is_taken_over(cli_run, tmp_path):
    folder = tmp_path / "stale"
    first = start(folder, *LONG)
    wait_for(first, (folder / "fit" / "metrics.csv").exists)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert str(first.pid) in (folder / "run.owner").read_text()
    config = folder / "config" / "config.yaml"
    config.write_text(config.read_text().replace("max_steps: 1000000", "max_steps: 20"))
    resumed = cli_run(f"resume={folder}", name="stale")
    assert resumed.code == 0, resumed.err
    assert not list(folder.glob("run.*"))


@pytest.fixture(params=[None, "ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def flock(request, monkeypatch):
    """The system's locks, or a file system that has none."""

    def missing(*_):
        raise OSError(getattr(errno, request.param), "no locks available")

    if request.param:
        monkeypatch.setattr(fcntl, "flock", missing)


def lock_and_die(folder):
    """Lock a folder in a process that is killed while it has the lock."""
    child = os.fork()
    if child == 0:
        with folder_lock(folder):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    return child


@pytest.mark.usefixtures("flock")
def test_with_and_without_locks_of_the_system_one_process_has_a_folder_and_a_dead_one_has_none(tmp_path):
    folder = tmp_path / "new" / "run"
    with folder_lock(folder):
        assert (folder / "run.owner").read_text().splitlines()[0] == str(os.getpid())
        with pytest.raises(UserError, match=f"in use by process {os.getpid()} on .* since 20"), folder_lock(folder):
            pass
        assert (folder / "run.owner").exists()
    assert not (tmp_path / "new").exists()
    dead = lock_and_die(folder)
    assert (folder / "run.owner").read_text().splitlines()[0] == str(dead)
    with folder_lock(folder):
        assert (folder / "run.owner").read_text().splitlines()[0] == str(os.getpid())
    assert list(folder.iterdir()) == []


def test_without_locks_of_the_system_a_lock_of_another_machine_is_not_taken_over(tmp_path, monkeypatch):
    def missing(*_):
        raise OSError(errno.ENOSYS, "no locks available")

    monkeypatch.setattr(fcntl, "flock", missing)
    (tmp_path / "run.owner").write_text("1\nelsewhere\n")
    expected = rf"process 1 on elsewhere since .*remove {tmp_path}/run.owner\)"
    with pytest.raises(UserError, match=expected), folder_lock(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["run.owner"]


@pytest.mark.usefixtures("flock")
@pytest.mark.parametrize("name", ["run.lock", "run.owner"])
@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_a_file_of_the_users_with_the_name_of_a_lock_is_refused_and_not_changed(tmp_path, name, kind):
    (tmp_path / "letter").write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    if kind == "file":
        (folder / name).write_text("mine")
    elif kind == "link":
        (folder / name).symlink_to(tmp_path / "letter")
    else:
        (folder / name).mkdir()
    with pytest.raises(UserError, match=f"{folder / name} is no lock of this program"), folder_lock(folder):
        pass
    assert [path.name for path in folder.iterdir()] == [name]
    assert (tmp_path / "letter").read_text() == "mine"
    assert kind != "file" or (folder / name).read_text() == "mine"


@pytest.mark.usefixtures("flock")
def test_an_empty_file_of_the_users_with_the_name_of_a_lock_stays(tmp_path):
    (tmp_path / "run.lock").touch()
    (tmp_path / ".scores.json.abcdefgh.part").write_text("mine")
    with folder_lock(tmp_path, holds_run=False):
        assert (tmp_path / "run.owner").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".scores.json.abcdefgh.part", "run.lock"]


def test_a_refused_run_takes_back_the_folders_it_made_and_leaves_the_users_own(cli_run, tmp_path):
    (tmp_path / "mine").mkdir()
    for where in ("mine", "a/b/c", "mine/new/run"):
        refused = cli_run(*TINY_DEC, "data.n_samples=2", f"hydra.run.dir={tmp_path / where}")
        assert refused.code == 1
        assert "n_samples=2 should be >= n_clusters=3" in refused.err
    assert (tmp_path / "mine").is_dir()
    assert list((tmp_path / "mine").iterdir()) == []
    assert not (tmp_path / "a").exists()


def test_runs_started_in_the_same_moment_have_folders_of_their_own(tmp_path):
    small = (*TINY_DEC, "baselines=none", "trainer.enable_progress_bar=false")
    runs = [CommandProcess(small, tmp_path) for _ in range(3)]
    assert [run.wait() for run in runs] == [0, 0, 0]
    assert len(list((tmp_path / "outputs" / "blobs" / "dec").glob("*/scores.json"))) == 3


def limited(folder, size, *overrides):
    """A run none of whose files may grow beyond a size, as on a full disk."""
    run = run_command([*TINY_DEC, *overrides, f"hydra.run.dir={folder}"], folder.parent, file_limit=size)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert run.stderr.count("\n") == 1
    assert list(folder.rglob("*.part")) == []
    return run.stderr


def test_a_checkpoint_that_finds_no_room_ends_the_run_in_one_line_and_the_one_before_stays(cli_run, tmp_path):
    folder = tmp_path / "run"
    said = limited(folder, 20_000, "net.dims=[64,4]", "checkpoint_interval=0.000001", "logger=none")
    assert re.fullmatch(rf"{folder}/checkpoints/last.ckpt cannot be written: File too large; .*\n", said)
    resumed = cli_run(f"resume={folder}", name="run")
    assert resumed.code == 0, resumed.err


def test_curves_that_find_no_room_end_the_run_in_one_line(tmp_path):
    folder = tmp_path / "run"
    said = limited(folder, 60_000, "fit.max_steps=100000", "trainer.log_every_n_steps=1", "checkpoint_interval=600")
    assert (
        said == f"a file in {folder} cannot be written: File too large; type deepcluster resume={folder} to continue\n"
    )


def test_a_temporary_folder_that_is_full_or_gone_changes_nothing(cli_run, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/proc/nowhere")
    monkeypatch.setattr("tempfile.tempdir", None)
    assert cli_run(*TINY_DEC, "checkpoint_interval=0.000001").code == 0


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that nobody can write")
def test_a_folder_that_cannot_be_written_is_refused_before_any_training(cli_run):
    run = cli_run(*TINY_DEC, "hydra.run.dir=/proc/deepcluster")
    assert run.code == 1
    assert "/proc/deepcluster cannot be written" in run.err
    assert run.err.count("\n") == 1
    assert run.out == ""
