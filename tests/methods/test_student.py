"""The student: its loss beside a loop over samples, draws that depend on round and place alone, nets of any size."""

from __future__ import annotations

import functools

import pytest
import torch

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.student import Student
from deepcluster_pl.nets.conv_encoder import ConvEncoder
from deepcluster_pl.nets.mlp_encoder import MLPEncoder

N, K, SMOOTHING = 6, 3, 0.1
CLUSTERS = torch.tensor([0, 0, 0, 1, 1, 2])


def student(net, noise=0.0, dropout=0.0, augment=None):
    optimizer = functools.partial(torch.optim.SGD, lr=0.1)
    module = Student(net, "test", K, SMOOTHING, 1.0, noise, dropout, optimizer, augment, seed=0)
    module.begin(1, CLUSTERS)
    return module


def test_the_loss_agrees_with_a_loop_over_samples():
    module, x, index = student(MLPEncoder((4,), [8, 5])), torch.rand(N, 4), torch.tensor([5, 0, 3])
    log_p = module.assign(module.net.encode(x)).log()
    sizes = [3, 2, 1]
    expected = 0.0
    for i in index.tolist():
        taught = int(CLUSTERS[i])
        right, spread = -log_p[i, taught].item(), -log_p[i].mean().item()
        expected += N / K / sizes[taught] * ((1 - SMOOTHING) * right + SMOOTHING * spread) / len(index)
    assert module.loss((x[index], index), {})["loss"].item() == pytest.approx(expected, rel=1e-5)


def test_draws_depend_on_round_and_place_alone():
    affine = Affine(0.1, 10.0, 0.0, 0.0, "nearest", 0)
    module = student(ConvEncoder((8, 8), [4], 16), noise=0.5, dropout=0.5, augment=affine)
    first = module.draw(5, (0, 3, 0))
    torch.rand(7)
    same, other = module.draw(5, (0, 3, 0)), module.draw(5, (0, 4, 0))
    module.begin(2, CLUSTERS)
    later = module.draw(5, (0, 3, 0))
    assert first.keys() == {"affine", "noise", "kept"}
    for name, tensor in first.items():
        assert torch.equal(tensor, same[name])
        assert not torch.equal(tensor, other[name])
        assert not torch.equal(tensor, later[name])


def test_a_round_begins_with_weights_of_its_own_that_the_global_state_does_not_change():
    module = student(ConvEncoder((8, 8), [4], 16))
    first = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    torch.rand(7)
    module.begin(2, CLUSTERS)
    assert not torch.equal(module.head.weight, first["head.weight"])
    module.begin(1, CLUSTERS)
    assert all(torch.equal(tensor, first[name]) for name, tensor in module.state_dict().items())


def test_dropout_sets_features_to_their_mean():
    module = student(MLPEncoder((4,), [8]), dropout=0.5)
    module.net.set_scaling(torch.full((4,), 2.0).numpy(), torch.full((4,), 3.0).numpy())
    index = torch.arange(N)
    draws = module.draw(N, (0, 0, 0))
    x, _ = module.training_batch((torch.full((N, 4), 5.0), index), draws)
    assert torch.equal(x, draws["kept"] * 9)
    assert 0 < draws["kept"].mean() < 1


@pytest.mark.parametrize("shape", [(8, 8), (1, 28, 28), (3, 33, 20), (64, 64, 3), (1, 5), (4, 100)])
def test_the_convolutional_net_takes_images_of_any_size(shape):
    net = ConvEncoder(shape, [4, 6], 16).eval()
    assert net.encode(torch.rand(2, *shape)).shape == (2, 6)


def test_a_table_is_refused_by_the_convolutional_net_with_what_to_type():
    with pytest.raises(UserError, match="samples of 13; type student=mlp"):
        ConvEncoder((13,), [4], 16)
