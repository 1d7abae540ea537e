"""Signals where nothing trains: one line with what to type, 128 + the signal's number, and nothing half written."""

from __future__ import annotations

import os
import signal

import pytest
from helpers.processes import CommandProcess

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
RUN = ("data=blobs", "data.n_samples=60", "data.n_features=3", "method=kmeans", "n_clusters=3", "start.n_init=2",
       "trainer.accelerator=cpu")  # fmt: skip
AGAIN = "interrupted; type the command again\n"
PLACES = {
    "while samples are read": ("deepcluster_pl.data.base", "ClusteringData.setup"),
    "in k-means": ("sklearn.cluster", "KMeans.fit"),
    "in the evaluation": ("deepcluster_pl.runs.pipeline", "evaluate"),
    "while figures are drawn": ("deepcluster_pl.runs.results", "save_figures"),
    "while a file is written": ("deepcluster_pl.utils.tensor_files", "save"),
}
STUCK = """
import importlib, os, sys, time
module, name = {place!r}
owner = importlib.import_module(module)
*owners, name = name.split(".")
for part in owners:
    owner = getattr(owner, part)
def stuck(*arguments, **options):
    print("stuck", flush=True)
    time.sleep(600)
setattr(owner, name, stuck)
from deepcluster_pl.cli.main import main
main()
"""
HALF_CONFIG = """
import time
import hydra.core.utils as utils
def half(cfg, filename, output_dir):
    output_dir.mkdir(parents=True)
    (output_dir / filename).write_text("seed: 1\\nn_clus")
    print("stuck", flush=True)
    time.sleep(600)
utils._save_config = half
from deepcluster_pl.cli.main import main
main()
"""


def stopped(words, cwd, sent, place=None, program=None):
    """Send a signal to a command that is stuck; return its exit code and what it said."""
    process = CommandProcess(words, cwd, program=program or STUCK.format(place=place))
    process.wait_for_line("stuck")
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert list(cwd.rglob("*.part")) == []
    return process.returncode, err


def test_a_run_says_how_it_is_resumed_wherever_it_was(cli_run, tmp_path):
    signals = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for sent, (where, place) in zip(signals, PLACES.items(), strict=True):
        folder = tmp_path / where.replace(" ", "_")
        code, err = stopped([*RUN, f"hydra.run.dir={folder}"], tmp_path, sent, place)
        said = f"interrupted; type deepcluster resume={folder} to continue\n"
        assert (code, err) == (128 + sent, said), where
    # The last was stopped while it wrote its model, the one before while it drew
    for where in list(PLACES)[-2:]:
        resumed = cli_run(f"resume={tmp_path / where.replace(' ', '_')}", name=where.replace(" ", "_"))
        assert resumed.code == 0, (where, resumed.err)
        assert (resumed.folder / "report.html").is_file()


def test_a_sweep_names_its_folder(tmp_path):
    folder = tmp_path / "sweep"
    place = PLACES["in k-means"]
    code, err = stopped(["-m", *RUN, "seed=0,1", f"hydra.sweep.dir={folder}"], tmp_path, signal.SIGTERM, place)
    assert (code, err) == (143, f"interrupted; type deepcluster resume={folder} to continue\n")


def test_a_run_that_has_not_begun_leaves_no_half_config(tmp_path):
    typed = [*RUN, f"hydra.run.dir={tmp_path / 'a' / 'run'}"]
    assert stopped(typed, tmp_path, signal.SIGHUP, program=HALF_CONFIG) == (
        129,
        "interrupted; type the command again\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_predict_and_export_leave_no_file(cli_run, tmp_path):
    run = cli_run(*RUN)
    places = {
        "predict": ("deepcluster_pl.methods.predictor", "Predictor.part"),
        "export": ("deepcluster_pl.methods.export", "_trace"),
    }
    for command, place in places.items():
        words = [command, f"run={run.folder}", f"to={tmp_path / 'new'}"]
        assert stopped(words, tmp_path, signal.SIGTERM, place) == (143, AGAIN), command
        assert not (tmp_path / "new").exists()
