"""What every source promises: batches of (x, index) without labels, in one call each, in an order that can resume."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from deepcluster_pl.data.datamodule import ClusteringData, existing_file
from deepcluster_pl.data.samples import Part, Table
from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.identity import Identity
from deepcluster_pl.utils.random import sample_rows

LABELS = np.arange(23) % 3


class InMemory(ClusteringData):
    """A source of whatever table a test needs."""

    def __init__(self, table, options):
        super().__init__(options)
        self.table = table
        self.loaded = 0

    def load(self):
        self.loaded += 1
        return self.table


@pytest.fixture
def source(common):
    """Makes a source of 23 samples of shape (2, 3), set up."""

    def make(dtype=np.float64, labels=LABELS, **options):
        x = np.random.default_rng(0).integers(256, size=(23, 2, 3)).astype(dtype)
        data = InMemory(Table(x, [f"id{row}" for row in range(23)], labels), common(**options))
        data.setup()
        return data

    return make


def flat(batches):
    return list(chain.from_iterable(batches))


def indices(loader):
    return [index.tolist() for _, index in loader]


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.float16, np.int64, bool])
def test_a_batch_is_samples_and_their_positions_and_never_a_label(source, dtype):
    data = source(dtype, holdout=0.3)
    data.use(batch_size=5, shuffle=True, seed=1)
    rows = data.part("fit").rows
    for batch in data.train_dataloader():
        x, index = batch
        assert type(batch) is tuple
        assert x.dtype == (torch.uint8 if dtype == np.uint8 else torch.float32)
        assert index.dtype == torch.int64
        np.testing.assert_array_equal(x.numpy(), data.table.x[rows[index.numpy()]].astype(np.float32))


def test_labels_do_not_change_a_single_batch(source):
    labeled, unlabeled = source(holdout=0.3), source(holdout=0.3, labels=None)
    for one, other in zip(labeled.train_dataloader(), unlabeled.train_dataloader(), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_batch_is_fetched_in_one_call(source, monkeypatch):
    data, calls, fetch = source(), [], Part.__getitems__
    monkeypatch.setattr(Part, "__getitems__", lambda part, rows: calls.append(list(rows)) or fetch(part, rows))
    data.use(batch_size=8, shuffle=False, seed=0)
    assert indices(data.train_dataloader()) == calls
    assert [len(rows) for rows in calls] == [8, 8, 7]


@pytest.mark.parametrize(("batch_size", "num_workers"), [(1, 0), (11, 0), (11, 2), (22, 0), (23, 0), (100, 0)])
def test_every_fitted_sample_is_trained_on_once_an_epoch(source, batch_size, num_workers):
    data = source(num_workers=num_workers)
    data.use(batch_size, shuffle=True, seed=3)
    found = indices(data.train_dataloader())
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
    data.use(5, shuffle=True, seed=seed)
    trainer.fit(diary, datamodule=data, ckpt_path=resume_from, weights_only=True)
    if keep is not None:
        trainer.save_checkpoint(keep)
    return diary.seen


def test_epochs_differ_and_seeds_decide(source):
    first, other, again = (batches_seen(source(), 10, seed) for seed in (1, 2, 1))
    assert first == again
    assert sorted(flat(first[:5])) == sorted(flat(first[5:])) == list(range(23))
    assert len({str(epoch) for epoch in (first[:5], first[5:], other[:5], other[5:])}) == 4


@pytest.mark.parametrize("n_steps", [2, 5, 7])
def test_resumed_training_goes_on_behind_the_batches_that_were_trained_on(source, tmp_path, n_steps):
    whole = batches_seen(source(), 12)
    before = batches_seen(source(), n_steps, keep=tmp_path / "last.ckpt")
    after = batches_seen(source(), 12, resume_from=tmp_path / "last.ckpt")
    assert (before, after) == (whole[:n_steps], whole[n_steps:])


def test_next_stage_begins_at_its_own_beginning(source):
    data = source()
    assert batches_seen(data, 3) == batches_seen(data, 3)


def test_parts_keep_ids_and_labels_beside_their_samples(source):
    data = source(holdout=0.3)
    assert (len(data.part("fit")), len(data.part("holdout"))) == (16, 7)
    for name in data.parts:
        part = data.part(name)
        rows = [int(sample[2:]) for sample in part.ids]
        assert part.labels.tolist() == [row % 3 for row in rows]
        np.testing.assert_array_equal(part.take(np.arange(len(part))), data.table.x[rows].astype(np.float32))
    assert sorted([*data.part("fit").ids, *data.part("holdout").ids]) == sorted(data.table.ids)


def test_nothing_held_out_means_one_part_and_no_validation(source):
    data = source()
    assert data.parts == ["fit"]
    assert data.val_dataloader() == []


def test_passes_without_gradients_keep_the_order(source):
    data = source(holdout=0.3)
    assert flat(indices(data.loader("fit"))) == list(range(16))
    assert flat(indices(data.val_dataloader())) == list(range(7))


def test_loader_of_some_rows_gives_just_those(source):
    data = source()
    [(x, _)] = data.loader("fit", np.array([4, 1]))
    np.testing.assert_array_equal(x.numpy(), data.table.x[[4, 1]].astype(np.float32))


@pytest.mark.parametrize("scale", ["none", "unit", "standard"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_prepared_samples_are_what_a_net_sees(source, dtype, scale):
    data = source(dtype, scale=scale, holdout=0.3)
    net = Identity(data.input_shape)
    net.set_scaling(data.scaling.shift, data.scaling.factor)
    for name in data.parts:
        seen = torch.cat([net.encode(net.prepare(x)) for x, _ in data.loader(name)])
        np.testing.assert_allclose(data.prepared(name), seen.numpy(), atol=1e-6)


def test_prepared_draws_rows_by_its_seed_and_keeps_their_order(source):
    data = source()
    rows = sample_rows(23, 6, seed=4)
    assert len(set(rows.tolist())) == 6
    assert rows.tolist() == sorted(rows.tolist()) != sample_rows(23, 6, seed=5).tolist()
    np.testing.assert_array_equal(data.prepared("fit", rows), data.prepared("fit")[rows])


def test_source_is_loaded_once(source):
    data = source()
    data.setup("fit")
    assert data.loaded == 1


def test_fingerprint_is_equal_for_equal_data_and_protocol_only(source):
    prints = [source(**options).fingerprint() for options in ({}, {"name": "other"}, {"residency": "disk"})]
    assert len(set(prints)) == 1
    changed = [{"holdout": 0.3}, {"holdout": 0.3, "seed": 1}, {"scale": "unit"}, {"dtype": np.uint8}]
    assert len({prints[0], *(source(**options).fingerprint() for options in changed)}) == 5


def test_bad_samples_are_refused_at_setup(common):
    data = InMemory(Table(np.array([[1.0], [np.nan]]), range(2)), common())
    with pytest.raises(UserError, match="row 1"):
        data.setup()


@pytest.mark.parametrize(
    ("path", "pattern"), [(None, "missing"), ("", "missing"), (".", "a folder"), ("no", "no such")]
)
def test_path_that_is_no_file_is_refused_by_its_option(path, pattern):
    with pytest.raises(UserError, match=rf"data\.csv.*{pattern}"):
        existing_file(path, "data.csv")
