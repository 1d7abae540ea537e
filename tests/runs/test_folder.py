"""A run's folder is new, empty or marked as a run's; the list of its names is complete; links in it are refused."""

from __future__ import annotations

import fnmatch

import pytest
from helpers.command_line import TINY_DEC, TINY_RAW
from helpers.pictures import library

from deepcluster_pl.errors import UserError
from deepcluster_pl.runs.folder import check_folder_usable, check_no_links
from deepcluster_pl.utils.run_folder import RunFolder

PHOTOS = (
    "experiment=photos", "method=photos/scan", "n_clusters=2", "trainer.accelerator=cpu", "fit.batch_size=8",
    "fit.max_steps=4",
    "data.features.side=48", "data.features.blocks=[palette]", "data.reading_processes=0", "data.copies=1",
    "method.n_neighbors=3", "net.hidden=[16]", "callbacks.target_refresh.update_interval=2", "baselines=none",
)  # fmt: skip
BY_LIBRARIES = ("config/*.yaml", "pretrain/*", "fit/*", "result/*", "predictions/*.csv", "export/model.pt2")


def unknown_names(folder):
    """Names in a run folder that its list does not have."""
    run = RunFolder(folder)
    listed = {path.relative_to(folder).as_posix() for path in run.written_files}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {path.name for path in folder.iterdir()} <= run.names
    return [name for name in found - listed if not any(fnmatch.fnmatch(name, known) for known in BY_LIBRARIES)]


def test_every_name_in_the_folder_of_a_run_is_in_the_list(cli_run, deepcluster):
    run = cli_run(*TINY_DEC, "checkpoint_interval=0.000001", "n_clusters=auto", "data.n_centers=3")
    assert run.code == 0, run.err
    assert deepcluster("predict", f"run={run.folder}").code == 0
    assert deepcluster("export", f"run={run.folder}").code == 0
    assert {"predictions", "export", "n_clusters.json"} <= {path.name for path in run.folder.iterdir()}
    assert unknown_names(run.folder) == []


def test_every_name_in_the_folder_of_a_run_on_pictures_is_in_the_list(cli_run, tmp_path):
    library(tmp_path / "photos", 12)
    (tmp_path / "photos" / "bad.png").write_bytes(b"no picture")
    run = cli_run(*PHOTOS, f"data.root={tmp_path / 'photos'}")
    assert run.code == 0, run.err
    assert {"gallery.html", "pictures.csv", "skipped.csv", "result"} <= {path.name for path in run.folder.iterdir()}
    assert unknown_names(run.folder) == []


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ([], None),
        (["run.lock", "run.owner", "config/config.yaml", "config/hydra.yaml", "config/overrides.yaml"], None),
        (["config/notes.txt"], "is not empty: found 'config'"),
        (["run.lock", "run.owner", "notes.txt"], "is not empty: found 'notes.txt'"),
        (["run.lock"], "is not empty: found 'run.lock'"),
        (["config/config.yaml", "assignments.csv"], r"holds a run already \(assignments.csv\); type subdir=<another"),
    ],
)
def test_a_job_begins_where_only_its_lock_and_its_config_are(tmp_path, there, message):
    for name in there:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1\nhost\n" if name == "run.owner" else "")
    if message is None:
        check_folder_usable(tmp_path, "hydra.sweep.subdir", has_begun=True)
    else:
        with pytest.raises(UserError, match=message.replace("subdir", "hydra.sweep.subdir")):
            check_folder_usable(tmp_path, "hydra.sweep.subdir", has_begun=True)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        there
    )


def test_a_run_that_was_killed_at_once_is_typed_again(cli_run, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.lock").touch()
    (tmp_path / "run" / "run.owner").write_text("1\nhost\n")
    run = cli_run(*TINY_RAW, "method=kmeans", "baselines=none")
    assert run.code == 0, run.err
    assert not list(run.folder.glob("run.*"))


@pytest.mark.parametrize(
    "name",
    [
        "fit/metrics.csv", "figures", "figures/map.png", "checkpoints", "checkpoints/last.ckpt", "model",
        "model/model.json", "result", "scores.json", "config/config.yaml", "run.lock", "run.owner", "MODEL_CARD.md",
    ],
)  # fmt: skip
@pytest.mark.parametrize("leads_to", ["something", "nothing"])
def test_a_link_that_a_resumed_run_would_write_through_is_refused(cli_run, tmp_path, name, leads_to):
    folder, users = tmp_path / "run", tmp_path / "mine"
    (folder / "config").mkdir(parents=True)
    (folder / name).parent.mkdir(exist_ok=True)
    if leads_to == "something":
        users.write_text("mine")
    (folder / name).symlink_to(users)
    resumed = cli_run(f"resume={folder}")
    assert resumed.code == 1
    assert f"resume={folder}: {name} is a link, and the run would write through it; put the file" in resumed.err
    assert resumed.err.count("\n") == 1
    assert users.exists() == (leads_to == "something")
    assert {path.name for path in folder.iterdir()} == {"config", name.partition("/")[0]}


def test_a_link_anywhere_in_the_folder_of_a_sweep_is_refused(tmp_path):
    (tmp_path / "sweep" / "0" / "fit").mkdir(parents=True)
    (tmp_path / "sweep" / "multirun.yaml").touch()
    check_no_links(tmp_path / "sweep")
    (tmp_path / "sweep" / "1").symlink_to(tmp_path)
    with pytest.raises(UserError, match="1 is a link"):
        check_no_links(tmp_path / "sweep")


def test_links_of_the_users_with_other_names_are_no_obstacle(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "notes").symlink_to(tmp_path)
    check_no_links(tmp_path)
    assert RunFolder(tmp_path).names >= RunFolder(tmp_path).run_names
