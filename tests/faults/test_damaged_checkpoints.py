"""Checkpoints that are broken, foreign or hostile: one line, no code is run, and a sound one is named or taken."""

from __future__ import annotations

import json
import os
import shutil
import zipfile

import pytest
import torch
from helpers.command_line import TINY_DEC

from deepcluster_pl.errors import UserError
from deepcluster_pl.training import Checkpoint
from deepcluster_pl.training.callbacks.cluster_metrics import ClusterMetrics

OFTEN = (*TINY_DEC, "checkpoint_interval=0.000001")


class Evil:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture
def cut(cli_run, monkeypatch):
    """A run that ended in the middle of its fit, with a last and a previous checkpoint."""

    def fail_at_the_third(*args, calls=[]):  # noqa: B006 - counts
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(ClusterMetrics, "on_refresh", fail_at_the_third)
        run = cli_run(*OFTEN, name="cut")
    assert run.code == 1
    return run


def damage(file, how):
    content = bytearray(file.read_bytes())
    if how == "truncated":
        content = content[: len(content) // 2]
    elif how == "empty":
        content = bytearray()
    elif how == "text":
        content = bytearray(b"epoch 3, loss 0.2\n" * 50)
    else:
        content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


@pytest.mark.parametrize("how", ["truncated", "empty", "text", "bit flipped"])
def test_a_run_goes_on_from_the_one_before_where_the_last_was_damaged(cli_run, cut, how):
    whole = cli_run(*OFTEN, name="whole")
    last = cut.folder / "checkpoints" / "last.ckpt"
    damage(last, how)
    resumed = cli_run(f"resume={cut.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert f"warning: {last} is damaged; resuming from previous.ckpt\n" in resumed.out
    assert resumed.labels == whole.labels


@pytest.mark.parametrize("how", ["truncated", "empty", "text", "bit flipped"])
@pytest.mark.parametrize("option", ["ckpt_path", "pretrained"])
def test_a_damaged_file_that_was_typed_is_named_with_a_sound_one_beside_it(cli_run, option, how):
    whole = cli_run(*TINY_DEC, name="whole")
    file = whole.folder / "checkpoints" / ("final.ckpt" if option == "ckpt_path" else "pretrained.ckpt")
    sound = {"final.ckpt": "pretrained.ckpt", "pretrained.ckpt": "final.ckpt"}[file.name]
    damage(file, how)
    refused = cli_run(*TINY_DEC, f"{option}={file}", name="second")
    assert refused.code == 1
    assert refused.err.startswith(f"{file} is damaged")
    assert refused.err.endswith(f"; {sound} beside it is intact\n")
    assert refused.err.count("\n") == 1
    assert not refused.folder.exists()


@pytest.mark.parametrize(
    ("change", "differs"), [("method=idec", "method"), ("net.dims=[8,4]", "net"), ("n_clusters=4", "method"),
                            ("data.n_samples=90", "data"), ("seed=1", "seed")],
)  # fmt: skip
def test_a_checkpoint_of_other_settings_is_refused_and_what_differs_is_named(cli_run, change, differs):
    whole = cli_run(*TINY_DEC, name="whole")
    refused = cli_run(*TINY_DEC, change, f"ckpt_path={whole.folder}/checkpoints/final.ckpt", name="second")
    assert refused.code == 1
    named = refused.err.partition("other settings (")[2].partition(")")[0].split(", ")
    assert differs in named
    assert refused.err.count("\n") == 1


def test_a_checkpoint_of_another_version_says_so(cli_run, tmp_path):
    whole = cli_run(*TINY_DEC, name="whole")
    content = torch.load(whole.folder / "checkpoints" / "pretrained.ckpt", weights_only=True)
    content["deepcluster_pl"] |= {"version": "0.0.9", "origin": dict.fromkeys(content["deepcluster_pl"]["origin"], "")}
    torch.save(content, tmp_path / "old.ckpt")
    refused = cli_run(*TINY_DEC, f"ckpt_path={tmp_path}/old.ckpt", name="second")
    assert refused.code == 1
    assert "was written by version 0.0.9, this is " in refused.err


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("option", ["ckpt_path", "pretrained", "resume"])
def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(cli_run, tmp_path, monkeypatch, option, forced):
    if forced:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    whole = cli_run(*TINY_DEC, name="whole")
    content = torch.load(whole.folder / "checkpoints" / "final.ckpt", weights_only=True)
    content["extra"] = Evil(tmp_path / "was_here")
    if option == "resume":
        for name in ("final.ckpt", "pretrained.ckpt"):
            torch.save(content, whole.folder / "checkpoints" / name)
        refused = cli_run(f"resume={whole.folder}", name="whole")
    else:
        torch.save(content, tmp_path / "evil.ckpt")
        refused = cli_run(*TINY_DEC, f"{option}={tmp_path}/evil.ckpt", name="second")
    assert refused.code == 1
    assert "without running code" in refused.err
    assert refused.err.count("\n") == 1
    assert not (tmp_path / "was_here").exists()


@pytest.mark.parametrize("option", ["ckpt_path", "pretrained"])
def test_nothing_is_fetched_from_an_address(cli_run, option):
    refused = cli_run(*TINY_DEC, f"{option}=https://example.org/evil.ckpt")
    assert refused.code == 1
    assert "no such file, expected a checkpoint" in refused.err


def test_a_cached_net_that_was_damaged_is_made_again(cli_run, tmp_path):
    auto = (*TINY_DEC, "pretrained=auto", f"cache_dir={tmp_path}/cache")
    first = cli_run(*auto, name="first")
    (kept,) = (tmp_path / "cache" / "pretrained").glob("*.ckpt")
    damage(kept, "bit flipped")
    second = cli_run(*auto, name="second")
    assert second.code == 0, second.err
    assert second.labels == first.labels
    assert (second.folder / "pretrain").exists()


@pytest.mark.parametrize("file", ["model/model.safetensors", "start.safetensors"])
def test_a_flipped_bit_in_saved_tensors_is_noticed(cli_run, tmp_path, file):
    from deepcluster_pl.errors import UserError
    from deepcluster_pl.methods.initialization.initial_clustering import Initialization
    from deepcluster_pl.methods.serialization import load_model

    run = cli_run(*TINY_DEC)
    content = bytearray((run.folder / file).read_bytes())
    content[-9] ^= 1
    (run.folder / file).write_bytes(content)
    with pytest.raises(UserError, match="is damaged: its checksum does not fit"):
        load_model(run.folder / "model") if "model" in file else Initialization.load(run.folder / file)


@pytest.mark.parametrize(
    "target", ["os.system", "torch.optim.adam.cast", "deepcluster_pl.methods.base.embed", "torch.optim.os.system"]
)
def test_a_model_that_asks_for_other_code_is_refused(cli_run, tmp_path, target):
    from deepcluster_pl.errors import UserError
    from deepcluster_pl.methods.serialization import load_model

    run = cli_run(*TINY_DEC)
    shutil.copytree(run.folder / "model", tmp_path / "model")
    description = json.loads((tmp_path / "model" / "model.json").read_text())
    description["net"]["extra"] = {"_target_": target, "command": f"touch {tmp_path}/was_here"}
    (tmp_path / "model" / "model.json").write_text(json.dumps(description))
    with pytest.raises(UserError, match=r"not loaded|does not fit together"):
        load_model(tmp_path / "model")
    assert not os.path.exists(tmp_path / "was_here")


def test_a_checkpoint_that_would_inflate_is_not_read(tmp_path):
    file = tmp_path / "bomb.ckpt"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 2**24)
    with pytest.raises(UserError, match="is compressed, which no checkpoint is"):
        Checkpoint.open(file)
