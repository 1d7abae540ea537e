"""A further process of a run, whose first process has died: it ends, without a traceback."""

from __future__ import annotations

import pytest
import torch.distributed as dist

from deepcluster_pl.runs import worker

LOST = [
    RuntimeError("[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:1"),
    RuntimeError("NCCL communicator was aborted on rank 1"),
    dist.DistNetworkError("The client socket has timed out"),
    dist.DistStoreError("Timed out after 601 seconds waiting for clients. 1/2 clients joined."),
]


def die(monkeypatch, error):
    def lose(*_):
        raise error

    monkeypatch.setattr(worker, "join_process_group", lose)
    monkeypatch.setenv("RANK", "1")
    worker.main()


@pytest.mark.parametrize("by_torchrun", [True, False])
@pytest.mark.parametrize("error", LOST, ids=range(len(LOST)))
def test_a_broken_connection_is_one_line_under_torchrun_and_else_left_to_the_first(
    monkeypatch, capsys, error, by_torchrun
):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    if by_torchrun:
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    with pytest.raises(SystemExit) as end:
        die(monkeypatch, error)
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("process 1 lost its connection to the others") == by_torchrun
    assert said.count("\n") == by_torchrun


def test_a_mistake_of_the_program_is_not_hidden(monkeypatch):
    class Store:
        def check(self, keys):
            return False

    monkeypatch.setattr(dist.distributed_c10d, "_get_default_store", Store)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        die(monkeypatch, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
