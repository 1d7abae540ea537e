"""Batches of a stage: (x, index) without labels, in one call each, in an order that can resume."""

from __future__ import annotations

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from helpers.sources import flat, indices

from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.data.samples import Part


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.float16, np.int64, bool])
def test_a_batch_is_samples_and_their_positions_and_never_a_label(source, dtype):
    data = source(dtype, holdout=0.3)
    rows = data.part("fit").rows
    for batch in StageData(data, 5, shuffle=True, seed=1).train_dataloader():
        x, index = batch
        assert type(batch) is tuple
        assert x.dtype == (torch.uint8 if dtype == np.uint8 else torch.float32)
        assert index.dtype == torch.int64
        np.testing.assert_array_equal(x.numpy(), data.table.x[rows[index.numpy()]].astype(np.float32))


def test_labels_do_not_change_a_single_batch(source):
    stages = [StageData(source(holdout=0.3, **labels), 5, True, 0) for labels in ({}, {"labels": None})]
    batches = [list(stage.train_dataloader()) for stage in stages]
    assert len(batches[0]) == 4
    for one, other in zip(*batches, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_batch_is_fetched_in_one_call(source, monkeypatch):
    data, calls, fetch = source(), [], Part.__getitems__
    monkeypatch.setattr(Part, "__getitems__", lambda part, rows: calls.append(list(rows)) or fetch(part, rows))
    assert indices(StageData(data, 8, shuffle=False, seed=0).train_dataloader()) == calls
    assert [len(rows) for rows in calls] == [8, 8, 7]


@pytest.mark.parametrize(("batch_size", "num_workers"), [(1, 0), (11, 0), (11, 2), (22, 0), (23, 0), (100, 0)])
def test_every_fitted_sample_is_trained_on_once_an_epoch(source, batch_size, num_workers):
    stage = StageData(source(num_workers=num_workers), batch_size, shuffle=True, seed=3)
    found = indices(stage.train_dataloader())
    assert sorted(flat(found)) == list(range(23))
    assert min(map(len, found)) >= 1


class Diary(pl.LightningModule):
    """Trains nothing and notes which samples it was shown."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = []

    def training_step(self, batch, batch_idx):
        self.seen.append(batch[1].tolist())
        return self.weight * 0

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def batches_seen(data, n_steps, seed=1, resume_from=None, keep=None):
    """Batches of 5 that a real Trainer gets to see; 23 samples make 5 an epoch."""
    diary = Diary()
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=n_steps, max_epochs=-1, use_distributed_sampler=False, limit_val_batches=0,
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    stage = StageData(data, 5, shuffle=True, seed=seed)
    trainer.fit(diary, datamodule=stage, ckpt_path=resume_from, weights_only=True)
    if keep is not None:
        trainer.save_checkpoint(keep)
    return diary.seen


def test_epochs_differ_and_seeds_decide(source):
    first, other, again = (batches_seen(source(), 10, seed) for seed in (1, 2, 1))
    assert first == again
    assert sorted(flat(first[:5])) == sorted(flat(first[5:])) == list(range(23))
    assert len({str(epoch) for epoch in (first[:5], first[5:], other[:5], other[5:])}) == 4


@pytest.mark.parametrize("n_steps", [2, 5, 7])
def test_resumed_training_starts_behind_the_batches_that_were_trained_on(source, tmp_path, n_steps):
    whole = batches_seen(source(), 12)
    before = batches_seen(source(), n_steps, keep=tmp_path / "last.ckpt")
    after = batches_seen(source(), 12, resume_from=tmp_path / "last.ckpt")
    assert (before, after) == (whole[:n_steps], whole[n_steps:])


def test_next_stage_begins_at_its_own_beginning(source):
    data = source()
    assert batches_seen(data, 3) == batches_seen(data, 3)


def test_the_held_out_part_is_validated_in_order_and_nothing_where_there_is_none(source):
    assert flat(indices(StageData(source(holdout=0.3), 5, True, 0).val_dataloader())) == list(range(7))
    assert StageData(source(), 5, True, 0).val_dataloader() == []


def test_rows_of_a_batch_are_known_before_it_is_made(source):
    stage = StageData(source(), 5, True, 0)
    assert [stage.rows_in(batch) for batch in range(5)] == [len(index) for _, index in stage.train_dataloader()]
