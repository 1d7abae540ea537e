"""What the order of batches promises."""

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


def test_last_batch_may_hold_one_row():
    assert [len(batch) for batch in SeededBatchSampler(10, 3, 0, shuffle=True)] == [3, 3, 3, 1]


def test_no_rows_give_no_batches():
    assert list(SeededBatchSampler(0, 4, 0, shuffle=True)) == []


def test_seed_and_epoch_alone_decide_the_order():
    first = SeededBatchSampler(100, 10, seed=7, shuffle=True)
    second = SeededBatchSampler(100, 10, seed=7, shuffle=True)
    orders = []
    for epoch in range(3):
        first.set_epoch(epoch)
        second.set_epoch(epoch)
        orders.append(list(first))
        assert list(second) == orders[-1] == list(first)
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert list(SeededBatchSampler(100, 10, seed=8, shuffle=True)) != orders[0]


def test_batch_size_does_not_change_the_order():
    assert flat(SeededBatchSampler(50, 7, 3, shuffle=True)) == flat(SeededBatchSampler(50, 50, 3, shuffle=True))


def test_without_shuffling_rows_come_in_order_in_every_epoch():
    sampler = SeededBatchSampler(8, 3, 1, shuffle=False)
    for epoch in range(2):
        sampler.set_epoch(epoch)
        assert list(sampler) == [[0, 1, 2], [3, 4, 5], [6, 7]]


@pytest.mark.parametrize("start", [0, 1, 3, 4])
def test_resumed_epoch_gives_the_batches_that_were_missing_and_the_next_is_whole(start):
    whole = SeededBatchSampler(10, 3, 5, shuffle=True)
    resumed = SeededBatchSampler(10, 3, 5, shuffle=True)
    for sampler in (whole, resumed):
        sampler.set_epoch(2)
    resumed.start = start
    assert list(resumed) == list(whole)[start:]
    assert list(resumed) == list(whole)


@pytest.mark.parametrize("world", [2, 3, 4])
def test_ranks_share_each_global_batch_without_duplicates(world):
    n, batch_size = 25, 8
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
