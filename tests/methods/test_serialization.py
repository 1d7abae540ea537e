"""Saved models: they are built again from their files, those of earlier versions too."""

from __future__ import annotations

import json
from importlib import import_module

import pytest
import torch
from helpers.command_line import TINY, TINY_DEC, TINY_RAW
from helpers.memory import memory_limit

from deepcluster_pl import load_model
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import to_plain, without_hydra
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.renames import _RENAMED, current_target

EARLIER = {now: before for before, now in _RENAMED.items()}


def with_earlier_names(node):
    """Return the node with every class under the name of the version before."""
    if isinstance(node, dict):
        node = {key: with_earlier_names(value) for key, value in node.items()}
        target = str(node.get("_target_", "")).removeprefix("deepcluster_pl.")
        return node | ({"_target_": f"deepcluster_pl.{EARLIER[target]}"} if target in EARLIER else {})
    return [with_earlier_names(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize(
    "recipe", [(*TINY_DEC,), (*TINY_RAW, "method=kmeans"), (*TINY, "method=ae_gmm"), (*TINY_DEC, "method=idec")]
)
def test_a_model_of_the_version_before_still_loads(cli_run, recipe):
    run = cli_run(*recipe)
    assert run.code == 0, run.err
    file = run.folder / "model" / "model.json"
    now, description = load_model(run.folder / "model"), json.loads(file.read_text())
    file.write_text(json.dumps(with_earlier_names(description)))
    assert ("start_only" in file.read_text()) == ("kmeans" in recipe[-1] or "ae_gmm" in recipe[-1])
    before = load_model(run.folder / "model")
    assert type(before) is type(now)
    x = torch.randn(5, 6)
    first, second = (model.assign(model.net.encode(model.net.prepare(x))) for model in (before, now))
    assert torch.equal(first, second)


def test_a_run_of_the_version_before_is_resumed_under_todays_names(cli_run):
    run = cli_run(*TINY_RAW, "method=kmeans")
    file = run.folder / "config" / "config.yaml"
    text = file.read_text()
    for now, before in EARLIER.items():
        text = text.replace(f"_target_: deepcluster_pl.{now}\n", f"_target_: deepcluster_pl.{before}\n")
    assert "methods.start_only.StartOnly" in text
    file.write_text(text)
    (run.folder / "scores.json").unlink()
    assert cli_run(f"resume={run.folder}").code == 0
    assert (run.folder / "scores.json").is_file()


@pytest.mark.parametrize("before", sorted(_RENAMED))
def test_every_new_name_is_a_class(before):
    module, _, name = current_target(f"deepcluster_pl.{before}").rpartition(".")
    assert isinstance(getattr(import_module(module), name), type)


def test_names_of_today_are_those_of_the_recipes():
    def targets(node):
        if isinstance(node, dict):
            return {str(node.get("_target_"))}.union(*map(targets, node.values()))
        return set().union(*map(targets, node)) if isinstance(node, list) else set()

    cfg = compose_checked(["method=kmeans"]).cfg
    named = {target for target in targets(to_plain(without_hydra(cfg))) if target.startswith("deepcluster_pl.")}
    assert named
    assert {current_target(target) for target in named} == named


def test_a_model_json_without_a_model_is_one_line(tmp_path):
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(UserError, match="another version, expected schema 1"):
        load_model(tmp_path)


@pytest.mark.parametrize("content", [b"[" * 200_000, b" " * (17 * 2**20), b"", b"null", b"\x80\x04."])
def test_a_model_json_of_absurd_content_is_one_line(tmp_path, content):
    (tmp_path / "model.json").write_bytes(content)
    with memory_limit(40), pytest.raises(UserError, match=r"is no readable model|another version") as error:
        load_model(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["input_shape", "hidden"])
def test_a_model_json_that_describes_terabytes_is_refused_and_nothing_is_allocated(cli_run, tmp_path, key):
    run = cli_run(*TINY_DEC)
    file = run.folder / "model" / "model.json"
    description = json.loads(file.read_text())
    if key == "input_shape":
        description["input_shape"] = [10**11]
    else:
        widths = next(name for name, value in description["net"].items() if isinstance(value, list))
        description["net"][widths] = [10**6] * len(description["net"][widths])
    file.write_text(json.dumps(description))
    with memory_limit(64), pytest.raises(UserError, match=r"model\.json describes [\d,]{13,} bytes of weights, found"):
        load_model(run.folder / "model")
