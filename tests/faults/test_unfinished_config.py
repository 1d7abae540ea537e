"""A run that was killed while its config was written has not begun: `resume=` says so, and its command works again."""

from __future__ import annotations

import shlex

import pytest

KMEANS = ("data=blobs", "data.n_samples=60", "data.n_features=3", "method=kmeans", "n_clusters=3",
          "trainer.accelerator=cpu", "baselines=none")  # fmt: skip
NAMES = ("config.yaml", "hydra.yaml", "overrides.yaml")


@pytest.fixture(scope="module")
def written():
    """Contents of the three files, filled by the first run."""
    return {}


@pytest.fixture
def whole(cli_run, written):
    if not written:
        run = cli_run(*KMEANS, name="whole")
        written.update({name: (run.folder / "config" / name).read_bytes() for name in NAMES})
    return written


def leave(folder, contents):
    """Leave what a killed process leaves: its lock, and the files written so far."""
    (folder / "config").mkdir(parents=True)
    (folder / "run.lock").touch()
    for name, content in zip(NAMES, contents, strict=False):
        (folder / "config" / name).write_bytes(content)


def states(whole):
    """Yield the files that a killed process may leave, by the number of whole ones and the state of the next."""
    parts = [whole[name] for name in NAMES]
    for n in range(3):
        yield n, parts[:n]
        for rest in (b"", parts[n][: len(parts[n]) // 2], parts[n][:-1], b"\0" * len(parts[n])):
            yield n, [*parts[:n], rest]


def test_resume_says_that_nothing_was_begun_and_what_to_type(cli_run, tmp_path, whole):
    for i, (n_whole, contents) in enumerate(states(whole)):
        folder = tmp_path / f"cut {i}"
        leave(folder, contents)
        refused = cli_run(f"resume={folder}", name=folder.name)
        assert (refused.code, refused.err.count("\n")) == (1, 1), (contents, refused.err)
        assert refused.err.startswith(f"resume={folder}: nothing was begun there, its config is unfinished; type ")
        typed = shlex.split(refused.err.partition("; type ")[2])
        assert f"hydra.run.dir={folder}" in [word.replace("'", "") for word in typed]
        if n_whole == 2:
            assert typed[:-1] == ["deepcluster", *KMEANS]


@pytest.mark.parametrize("number", [0, 3, 12])
def test_the_same_command_works_again(cli_run, tmp_path, whole, number):
    folder = tmp_path / "cut"
    leave(folder, list(states(whole))[number][1])
    again = cli_run(*KMEANS, f"hydra.run.dir={folder}", name="cut")
    assert again.code == 0, again.err
    assert again.scores["fit"]["n"] == 60
    assert cli_run(f"resume={folder}", name="cut").code == 0


def test_the_printed_command_works(cli_run, tmp_path, whole):
    folder = tmp_path / "a, b"
    leave(folder, [whole["config.yaml"], whole["hydra.yaml"], b""])
    typed = shlex.split(cli_run(f"resume={folder}", name="a, b").err.partition("; type ")[2])
    again = cli_run(*typed[1:], name="a, b")
    assert again.code == 0, again.err
    assert again.scores["fit"]["n"] == 60


def test_the_printed_command_has_the_recipes_that_were_typed(cli_run, tmp_path, whole):
    folder, source = tmp_path / "own", "provider: command-line"
    written = whole["hydra.yaml"].decode()
    entry = "    - path: ''\n      schema: structured\n      provider: schema\n"
    assert entry in written
    recipes = f"    - path: {tmp_path}/my recipes\n      schema: file\n      {source}\n"
    leave(folder, [whole["config.yaml"], written.replace(entry, recipes + entry).encode(), b""])
    said = cli_run(f"resume={folder}", name="own").err
    assert f"type deepcluster --config-dir '{tmp_path}/my recipes' data=blobs" in said
    assert said.endswith(f", if you trust the recipes in {tmp_path}/my recipes\n")


def test_a_config_beside_other_files_is_a_run_that_has_begun(cli_run, tmp_path, whole):
    folder = tmp_path / "begun"
    leave(folder, [whole["config.yaml"][:50]])
    (folder / "checkpoints").mkdir()
    assert "nothing was begun" not in cli_run(f"resume={folder}").err
    refused = cli_run(*KMEANS, f"hydra.run.dir={folder}")
    assert refused.code == 1
    assert "holds a run already" in refused.err


def test_a_config_without_our_lock_may_be_the_users(cli_run, tmp_path, whole):
    leave(tmp_path / "theirs", [b"seed: 9\n"])
    (tmp_path / "theirs" / "run.lock").unlink()
    refused = cli_run(*KMEANS, f"hydra.run.dir={tmp_path / 'theirs'}")
    assert refused.code == 1
    assert (tmp_path / "theirs" / "config" / "config.yaml").read_bytes() == b"seed: 9\n"
