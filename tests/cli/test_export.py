"""`deepcluster export`: each format gives the results of the model itself."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.command_line import TINY, TINY_RAW, Outcome

from deepcluster_pl import load_model
from deepcluster_pl.methods.shallow import ShallowClustering

METHODS = {
    "kmeans": (*TINY_RAW, "method=kmeans"),
    "ae_gmm": (*TINY, "method=ae_gmm"),
    "graph": (*TINY_RAW, "method=graph"),
    "gradients": (
        "data=digits", "method=gradients", "data.subset.size=300", "baselines=none", "trainer.accelerator=cpu",
    ),
    "n2d": (*TINY, "method=n2d", "start.n_epochs=30"),
    "dec": (*TINY, "method=dec"),
    "scan": (*TINY, "method=scan", "method.n_neighbors=5"),
    "vade": (*TINY, "method=vade"),
    "whitened": (*TINY, "method=idec", "start=gmm", "whiten=1"),
    "images": (
        "data=digits", "method=dec", "net=conv_autoencoder", "pretrain.max_epochs=1", "fit.max_steps=2",
        "baselines=none", "trainer.accelerator=cpu",
    ),
}  # fmt: skip


@pytest.fixture
def exported(deepcluster):
    """Call with settings of `deepcluster export`."""
    return functools.partial(deepcluster, "export")


def expected(run: Outcome, n: int) -> tuple[torch.Tensor, list[np.ndarray]]:
    model = load_model(run.folder / "model")
    x = torch.randn(n, *model.net.input_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        z = model.net.encode(model.net.prepare(x))
        return x, [z.numpy(), model.assign(z).numpy()]


@pytest.mark.parametrize("name", METHODS)
def test_graphs_of_pytorch_and_onnx_give_the_results_of_the_model(name, cli_run, exported):
    runtime = pytest.importorskip("onnxruntime")
    if name == "n2d":
        pytest.importorskip("umap")
    run = cli_run(*METHODS[name])
    assert run.code == 0, run.err
    for form in ("torch_export", "onnx"):
        outcome = exported(f"run={run.folder}", f"format={form}")
        assert outcome.code == 0, outcome.err
        file = Path(outcome.out.strip())
        assert file.parent == run.folder / "export"
        for n in (1, 5, 130):
            x, wanted = expected(run, n)
            if form == "onnx":
                found = runtime.InferenceSession(str(file)).run(None, {"samples": x.numpy()})
            else:
                found = [tensor.detach().numpy() for tensor in torch.export.load(file).module()(x)]
            for value, expectation in zip(found, wanted, strict=True):
                np.testing.assert_allclose(value, expectation, rtol=1e-3, atol=1e-4)


def test_safetensors_are_a_model_of_their_own(cli_run, exported, tmp_path):
    run = cli_run(*METHODS["dec"])
    outcome = exported(f"run={run.folder}", "format=safetensors", f"to={tmp_path / 'exported'}")
    assert outcome.code == 0, outcome.err
    x, wanted = expected(run, 9)
    model = load_model(tmp_path / "exported")
    with torch.no_grad():
        np.testing.assert_array_equal(model.assign(model.net.encode(model.net.prepare(x))).numpy(), wanted[1])


def test_bytes_go_in_as_bytes(cli_run, exported, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, size=(60, 8, 8)).astype(np.uint8)
    np.save(tmp_path / "x.npy", images)
    run = cli_run(
        "data=array", "data.path=x.npy", "data.scale=none", "method=ae_kmeans", "n_clusters=3", "net.dims=[16,4]",
        "pretrain.max_epochs=1", "trainer.accelerator=cpu", "baselines=none",
    )  # fmt: skip
    assert json.loads((run.folder / "model" / "model.json").read_text())["samples"]["dtype"] == "uint8"
    outcome = exported(f"run={run.folder}")
    assert outcome.code == 0, outcome.err
    clusters = torch.export.load(outcome.out.strip()).module()(torch.from_numpy(images))[1].argmax(dim=1)
    assert clusters.tolist() == [int(row["cluster"]) for row in run.assignments]


def test_nothing_is_written_over_and_mistakes_are_one_line(cli_run, exported):
    run = cli_run(*METHODS["kmeans"])
    assert exported(f"run={run.folder}").code == 0
    for arguments, message in (
        ([f"run={run.folder}"], "is not overwritten"),
        ([f"run={run.folder}", "format=pickle"], "format=pickle: expected torch_export, onnx, safetensors"),
        ([f"run={run.folder}", "data=array"], "an export has no data"),
        (["format=onnx"], "run= is missing"),
    ):
        outcome = exported(*arguments)
        assert outcome.code == 1
        assert message in outcome.err
        assert len(outcome.err.splitlines()) == 1


def test_a_method_that_cannot_be_a_graph_is_refused(cli_run, exported, monkeypatch):
    run = cli_run(*METHODS["kmeans"])
    monkeypatch.setattr(ShallowClustering, "assign", lambda self, z: z[: int(z.sum())])  # depends on the numbers
    outcome = exported(f"run={run.folder}")
    assert outcome.code == 1
    assert "method=kmeans cannot be exported as a graph" in outcome.err
    assert outcome.err.strip().endswith("type format=safetensors")


def test_a_graph_of_a_mixed_table_takes_raw_numbers_and_labels_them_as_predict_does(
    cli_run, exported, deepcluster, tmp_path
):
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 90)
    table = pd.DataFrame({
        "size": np.where(rng.random(90) < 0.1, np.nan, 5 * group + rng.normal(size=90)).round(3),
        "color": np.array(["red", "blue"])[group], "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(90 * group, "D"),
    })  # fmt: skip
    table.to_csv(tmp_path / "t.csv", index=False)
    run = cli_run("data.path=t.csv", "method=kmeans", "n_clusters=2", "baselines=none", "trainer.accelerator=cpu")
    outcome = exported(f"run={run.folder}", f"to={tmp_path / 'm.pt2'}")
    assert outcome.code == 0, outcome.err
    # Numbers are made from the cells by what the file says alone
    inputs = json.loads((tmp_path / "m.pt2.columns.json").read_text())["columns"]
    assert [entry["column"] for entry in inputs] == ["size", "color", "day"]
    colors = {level: place for place, level in enumerate(inputs[1]["levels"])}
    seconds = (table["day"] - pd.Timestamp("1970-01-01")).dt.total_seconds()
    raw = np.column_stack([table["size"], table["color"].map(colors), seconds])
    _, probabilities = torch.export.load(tmp_path / "m.pt2").module()(torch.from_numpy(raw))
    deepcluster("predict", f"run={run.folder}", f"data.path={tmp_path / 't.csv'}", f"to={tmp_path / 'p.csv'}")
    predicted = pd.read_csv(tmp_path / "p.csv")["cluster"]
    assert probabilities.argmax(dim=1).tolist() == predicted.tolist()
    assert set(predicted) == {0, 1}
