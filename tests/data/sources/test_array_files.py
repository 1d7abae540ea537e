"""Embeddings in every format: the array is found or asked for, and sizes are held against the file's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.memory import memory_limit
from safetensors.torch import save_file
from scipy import io, sparse

from deepcluster_pl.data.tables.opening import ALWAYS_FINE_BYTES
from deepcluster_pl.errors import UserError

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
Y = np.arange(12) % 3


def write(path, arrays):
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".pt":
        torch.save(tensors, path)
    elif path.suffix == ".safetensors":
        save_file(tensors, path)
    elif path.suffix == ".mat":
        io.savemat(path, arrays)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for name, value in arrays.items():
                file[name] = value


SUFFIXES = (".npz", ".pt", ".safetensors", ".mat", ".h5")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_samples_and_labels_are_found_by_name_alone_or_by_key(array, tmp_path, suffix):
    write(tmp_path / f"a{suffix}", {"x": X, "y": Y, "other": X[:, :1]})
    write(tmp_path / f"b{suffix}", {"emb": X})
    write(tmp_path / f"c{suffix}", {"first": X, "second": X + 1})
    table = array(f"a{suffix}").load()
    np.testing.assert_allclose(table.x, X)
    assert table.labels.tolist() == Y.tolist()
    np.testing.assert_allclose(array(f"b{suffix}").load().x, X)
    np.testing.assert_allclose(array(f"c{suffix}", key="second").load().x, X + 1)
    with pytest.raises(UserError, match=r"found first, second, expected an array named x; type data\.key=<name>"):
        array(f"c{suffix}").load()
    with pytest.raises(UserError, match=r"data\.key=third: .* has no such array; found first, second"):
        array(f"c{suffix}", key="third").load()


def test_a_bare_tensor_of_bfloat16_and_a_sparse_matrix_become_numbers(array, tmp_path):
    torch.save(torch.from_numpy(X).bfloat16(), tmp_path / "x.pt")
    np.testing.assert_allclose(array("x.pt").load().x, X, atol=0.02)
    sparse.save_npz(tmp_path / "x.npz", sparse.csr_matrix(X * (X > 0)))
    np.testing.assert_allclose(array("x.npz").load().x, X * (X > 0))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_flipped_bytes_end_in_a_line_or_in_numbers(array, tmp_path, suffix):
    write(tmp_path / f"a{suffix}", {"x": X, "y": Y})
    whole, rng, lines = (tmp_path / f"a{suffix}").read_bytes(), np.random.default_rng(1), []
    # A process for each file of these kinds
    for _ in range(3 if suffix in (".mat", ".h5") else 60):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=rng.integers(1, 4)):
            damaged[place] ^= 1 << int(rng.integers(8))
        try:
            array(f"d{suffix}", bytes(damaged)).setup()
        except UserError as error:
            lines.append(str(error))
    assert not any("\n" in line for line in lines)


def huge(path):
    """Write a small file that grows to a gigabyte."""
    if path.suffix == ".pt":
        torch.save(torch.zeros(1).expand(2**28), path)
    elif path.suffix == ".npz":
        sparse.save_npz(path, sparse.csr_matrix((2**14, 2**14), dtype=np.float32))
    elif path.suffix == ".mat":
        io.savemat(path, {"x": np.zeros(3 * ALWAYS_FINE_BYTES // 8)}, do_compression=True)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            file.create_dataset("x", (2**14, 2**14), dtype="f4", chunks=(2**7, 2**7))


@pytest.mark.parametrize("suffix", [".pt", ".npz", ".mat", ".h5"])
def test_a_small_file_that_grows_beyond_a_multiple_of_its_size_is_refused_before_it_does(array, tmp_path, suffix):
    huge(tmp_path / f"x{suffix}")
    with memory_limit(100), pytest.raises(UserError, match=r"would grow to|when it is dense") as error:
        array(f"x{suffix}").load()
    assert "\n" not in str(error.value)


def test_a_dataset_outside_an_hdf5_file_is_not_read(array, tmp_path):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "secret").write_bytes(bytes(range(96)))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = X
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", (12, 2), "f4", external=[(str(tmp_path / "secret"), 0, 96)])
        file["linked"] = h5py.ExternalLink("other.h5", "x")
    with pytest.raises(UserError, match="found nothing, expected an array named x"):
        array("x.h5").load()
