"""Subset and split: every sample in one part, the article's protocol, no labels read where none are needed."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from deepcluster_pl.data.sources.torchvision_datasets import TorchvisionDataset
from deepcluster_pl.data.split import Subset, split_rows
from deepcluster_pl.errors import UserError

LABELS = np.repeat(np.arange(4), [40, 30, 20, 10])
ROWS = np.arange(100)


@pytest.mark.parametrize("split", ["random", "order", "stratified"])
def test_parts_hold_every_row_once(split):
    fit, holdout = split_rows(ROWS, LABELS, 0.3, split, seed=0)
    assert (len(fit), len(holdout)) == (70, 30)
    assert sorted([*fit, *holdout]) == list(range(100))


@pytest.mark.parametrize("split", ["random", "stratified"])
def test_seed_decides_the_draw(split):
    first, again, other = (split_rows(ROWS, LABELS, 0.3, split, seed)[0].tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_order_fits_the_first_rows_as_they_stand():
    rows = np.array([5, 3, 9, 1])
    fit, holdout = split_rows(rows, None, 0.25, "order", seed=0)
    assert (fit.tolist(), holdout.tolist()) == ([5, 3, 9], [1])


def test_stratified_keeps_each_labels_share():
    fit, _ = split_rows(ROWS, LABELS, 0.3, "stratified", seed=0)
    assert np.bincount(LABELS[fit]).tolist() == [28, 21, 14, 7]


@pytest.mark.parametrize("split", ["random", "order", "stratified"])
def test_nothing_is_held_out_when_nothing_is_asked_for(split):
    fit, holdout = split_rows(ROWS, None, 0.0, split, seed=0)
    assert fit.tolist() == ROWS.tolist()
    assert len(holdout) == 0


def test_labels_do_not_touch_a_random_split():
    shuffled = np.random.default_rng(0).permutation(LABELS)
    with_labels = split_rows(ROWS, LABELS, 0.3, "random", 0)[0]
    assert with_labels.tolist() == split_rows(ROWS, shuffled, 0.3, "random", 0)[0].tolist()
    assert with_labels.tolist() == split_rows(ROWS, None, 0.3, "random", 0)[0].tolist()


def test_everything_held_out_is_an_error():
    with pytest.raises(UserError, match=r"data.holdout=0.9 leaves none of the 1 samples"):
        split_rows(np.arange(1), None, 0.9, "random", seed=0)


def test_stratified_without_labels_is_an_error_that_says_what_to_type():
    with pytest.raises(UserError, match=r"data.split=stratified needs labels.*use data.split=random"):
        split_rows(ROWS, None, 0.3, "stratified", seed=0)
    with pytest.raises(UserError, match=r"data\.subset\.stratify=true needs labels"):
        Subset(10, True, 0).rows(100, None)


def test_label_that_occurs_once_cannot_be_stratified():
    labels = np.array(["a"] * 9 + ["lonely"])
    with pytest.raises(UserError, match=r"data\.split=stratified: "):
        split_rows(np.arange(10), labels, 0.5, "stratified", seed=0)


def test_subset_takes_all_in_order_unless_told():
    assert Subset(None, False, 0).rows(5, None).tolist() == [0, 1, 2, 3, 4]


def test_subset_draws_distinct_rows_by_its_seed():
    first, again, other = (Subset(20, False, seed).rows(100, None).tolist() for seed in (1, 1, 2))
    assert len(set(first)) == 20
    assert set(first) <= set(range(100))
    assert first == again != other
    assert first != sorted(first)


def test_subset_larger_than_the_data_is_an_error():
    with pytest.raises(UserError, match=r"data\.subset\.size=101 is more than the 100 samples"):
        Subset(101, False, 0).rows(100, None)


def test_article_protocol_fits_34300_and_holds_out_14700():
    labels = np.random.default_rng(0).integers(10, size=70_000)
    rows = Subset(49_000, True, 128).rows(70_000, labels)
    fit, holdout = split_rows(rows, labels, 0.3, "order", seed=0)
    assert (len(rows), len(fit), len(holdout)) == (49_000, 34_300, 14_700)
    assert len(set(fit.tolist()) | set(holdout.tolist())) == 49_000
    assert [*fit, *holdout] == rows.tolist()
    np.testing.assert_allclose(np.bincount(labels[rows]), 0.7 * np.bincount(labels), atol=1)
    assert np.abs(np.diff(rows)).mean() > 20_000  # shuffled, so the last 30 % are as mixed as the first 70 %


@pytest.mark.realdata
def test_article_protocol_on_mnist_gives_the_labels_of_the_genuine_train_csv(real_data, common):
    options = common(subset=Subset(49_000, True, 128), holdout=0.3, split="order")
    data = TorchvisionDataset("MNIST", "both", str(real_data), False, **options)
    data.setup()
    with (real_data / "datahack" / "train.csv").open(newline="") as file:
        genuine = [int(row["label"]) for row in csv.DictReader(file)]
    assert [*data.part("fit").labels, *data.part("holdout").labels] == genuine
