"""Order of batches: every row once an epoch, decided by seed and epoch, shared between ranks, resumable."""

from __future__ import annotations

import pytest

from deepcluster_pl.data.sampler import SeededBatchSampler

SIZES = [(10, 3), (9, 3), (10, 9), (1, 1), (7, 7), (5, 100), (1, 256)]


def flat(batches):
    return [row for batch in batches for row in batch]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(("n", "batch_size"), SIZES)
def test_every_row_comes_once_an_epoch(n, batch_size, shuffle):
    assert sorted(flat(SeededBatchSampler(n, batch_size, 0, shuffle))) == list(range(n))


@pytest.mark.parametrize(("n", "batch_size"), SIZES)
def test_no_batch_is_empty_and_only_the_last_is_short(n, batch_size):
    sampler = SeededBatchSampler(n, batch_size, 0, shuffle=True)
    sizes = [len(batch) for batch in sampler]
    assert len(sizes) == len(sampler)
    assert all(size == batch_size for size in sizes[:-1])
    assert 1 <= sizes[-1] <= batch_size


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize(("n", "batch_size"), [(10, 3), (9, 3), (11, 4), (5, 100)])
def test_the_rows_of_a_batch_are_known_before_it_is_made(n, batch_size, world):
    ranks = [list(SeededBatchSampler(n, batch_size, 2, True, rank, world)) for rank in range(world)]
    sampler = SeededBatchSampler(n, batch_size, 2, True, 0, world)
    sizes = [sum(map(len, batch)) for batch in zip(*ranks, strict=True)]
    assert [sampler.rows_in(batch) for batch in range(len(sampler))] == sizes


def test_no_rows_give_no_batches():
    assert list(SeededBatchSampler(0, 4, 0, shuffle=True)) == []


def epochs(sampler_seed, count):
    sampler = SeededBatchSampler(100, 10, sampler_seed, shuffle=True)
    for epoch in range(count):
        sampler.batches_done = lambda done=10 * epoch: done
        yield list(sampler)


def test_seed_and_epoch_alone_decide_the_order():
    first, second, third = orders = list(epochs(7, 3))
    assert list(epochs(7, 3)) == orders
    assert first != second != third != first
    assert next(epochs(8, 1)) != first


def test_batch_size_does_not_change_the_order():
    assert flat(SeededBatchSampler(50, 7, 3, shuffle=True)) == flat(SeededBatchSampler(50, 50, 3, shuffle=True))


@pytest.mark.parametrize("done", [0, 3, 6])
def test_without_shuffling_rows_come_in_order_in_every_epoch(done):
    sampler = SeededBatchSampler(8, 3, 1, shuffle=False, batches_done=lambda: done)
    assert list(sampler) == [[0, 1, 2], [3, 4, 5], [6, 7]]


@pytest.mark.parametrize("done", range(13))
def test_resumed_training_gets_exactly_the_batches_that_were_missing(done):
    whole = [
        batch
        for epoch in range(4)
        for batch in SeededBatchSampler(10, 3, 5, shuffle=True, batches_done=lambda start=4 * epoch: start)
    ]
    found = []
    sampler = SeededBatchSampler(10, 3, 5, shuffle=True, batches_done=lambda: done + len(found))
    while len(found) < len(whole) - done:
        found += list(sampler)
    assert found == whole[done:]


@pytest.mark.parametrize("world", [2, 3, 4])
def test_ranks_share_each_global_batch_without_duplicates(world):
    n, batch_size = 29, 8  # five rows in the last batch: enough for every rank
    alone = list(SeededBatchSampler(n, batch_size, 2, shuffle=True))
    ranks = [list(SeededBatchSampler(n, batch_size, 2, True, rank, world)) for rank in range(world)]
    for number, batch in enumerate(alone):
        shares = [rank[number] for rank in ranks]
        assert sorted(flat(shares)) == sorted(batch)
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_ranks_take_equally_many_steps_and_none_gets_an_empty_batch():
    ranks = [list(SeededBatchSampler(9, 4, 0, True, rank, 2)) for rank in range(2)]  # the last batch holds one row
    assert len(ranks[0]) == len(ranks[1])
    assert sorted(flat(ranks[0]) + flat(ranks[1])) == list(range(9))
    assert min(len(batch) for batches in ranks for batch in batches) >= 1


def test_batch_smaller_than_the_number_of_processes_is_refused():
    with pytest.raises(ValueError, match="batch_size=2 should be >= the number of processes, 3"):
        SeededBatchSampler(10, 2, 0, True, 0, 3)
