"""MNIST and its relatives: all images as bytes, and an error that names the damaged file or the option to type."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from deepcluster_pl.data.sources.torchvision_datasets import TorchvisionDataset
from deepcluster_pl.errors import UserError


def idx(values):
    """The IDX format: two zero bytes, type 8 (bytes), number of dimensions, sizes, values."""
    sizes = b"".join(struct.pack(">I", size) for size in values.shape)
    return struct.pack(">HBB", 0, 8, values.ndim) + sizes + values.astype(np.uint8).tobytes()


@pytest.fixture
def mnist(tmp_path, common):
    """Makes a source of five tiny training and two test images, some file of them replaced."""

    def make(images="both", **replaced):
        raw = tmp_path / "MNIST" / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        x = np.arange(7 * 4 * 3).reshape(7, 4, 3)
        files = {
            "train-images": idx(x[:5]),
            "train-labels": idx(np.arange(5)),
            "t10k-images": idx(x[5:]),
            "t10k-labels": idx(np.arange(5, 7)),
        }
        for name, content in files.items():
            kind = "idx3" if name.endswith("images") else "idx1"
            (raw / f"{name}-{kind}-ubyte").write_bytes(replaced.get(name.replace("-", "_"), content))
        return TorchvisionDataset("MNIST", images, str(tmp_path), False, **common()), x

    return make


@pytest.mark.parametrize(("images", "rows"), [("both", range(7)), ("train", range(5)), ("test", range(5, 7))])
def test_training_images_come_before_test_images_as_bytes(mnist, images, rows):
    data, x = mnist(images)
    table = data.load()
    assert table.x.dtype == np.uint8
    np.testing.assert_array_equal(table.x, x[rows])
    assert table.labels.tolist() == list(rows)
    assert list(table.ids) == list(range(len(rows)))


@pytest.mark.parametrize("dataset", ["MNIST", "FashionMNIST", "KMNIST", "USPS"])
def test_missing_data_is_an_error_that_says_what_to_type(tmp_path, common, dataset):
    source = TorchvisionDataset(dataset, "both", str(tmp_path), False, **common())
    with pytest.raises(UserError, match=rf"{dataset} is not in data\.root=.*type data\.root=.*data\.download=true"):
        source.load()


@pytest.mark.parametrize(
    "content",
    [idx(np.zeros((5, 4, 3)))[:-7], b"", bytes(range(256)), b"<html>404</html>", idx(np.zeros(5))],
    ids=["truncated", "empty", "garbage", "text", "labels instead"],
)
def test_damaged_images_are_refused_and_the_file_is_named(mnist, content):
    data, _ = mnist(train_images=content)
    with pytest.raises(UserError, match="train-images-idx3-ubyte"):
        data.setup()


def test_labels_of_another_number_are_refused(mnist):
    data, _ = mnist(train_labels=idx(np.arange(4)))
    with pytest.raises(UserError, match=r"labels have shape \(6,\), expected \(7,\)"):
        data.setup()


@pytest.mark.realdata
@pytest.mark.parametrize("dataset", ["MNIST", "FashionMNIST"])
def test_real_images_are_seventy_thousand_of_ten_classes(real_data, common, dataset):
    table = TorchvisionDataset(dataset, "both", str(real_data), False, **common()).load()
    assert table.x.shape == (70_000, 28, 28)
    assert table.x.dtype == np.uint8
    assert (table.x.min(), table.x.max()) == (0, 255)
    assert sorted(set(table.labels.tolist())) == list(range(10))


@pytest.mark.realdata
def test_real_test_images_are_the_last_ten_thousand(real_data, common):
    train, test = (
        TorchvisionDataset("MNIST", images, str(real_data), False, **common()).load() for images in ("train", "test")
    )
    assert (len(train.x), len(test.x)) == (60_000, 10_000)
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]
