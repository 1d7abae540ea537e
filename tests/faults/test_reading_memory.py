"""Checkpoints and models take the memory of their file, and little more, while they are read."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from deepcluster_pl.training.checkpoints import METADATA, Checkpoint
from deepcluster_pl.utils.tensor_files import load_tensors, save_tensors

SPARE = 16 * 2**20


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def growth(action):
    """Bytes by which this process grows at most while something is done, looked at every two milliseconds."""
    before, peak, done = resident(), [0], threading.Event()

    def watch():
        while not done.is_set():
            peak[0] = max(peak[0], resident())
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = action()
    done.set()
    watcher.join()
    return max(peak[0], resident()) - before, result


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", ["checkpoint", "tensors"])
def test_reading_takes_the_size_of_the_file_and_16_megabytes(tmp_path, kind):
    file, weights = tmp_path / "file", torch.rand(2**24)  # 64 MiB
    if kind == "checkpoint":
        torch.save({METADATA: {"stage": "fit", "origin": {}}, "state_dict": {"w": weights}}, file)
        grown, content = growth(lambda: Checkpoint.open(file).content)
        read = content["state_dict"]["w"]
    else:
        save_tensors({"w": weights}, file)
        grown, content = growth(lambda: load_tensors(file))
        read = content["w"]
    assert torch.equal(read, weights)
    assert grown < file.stat().st_size + SPARE
