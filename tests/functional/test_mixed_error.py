"""The error of mixed rows beside a loop over rows and columns; a net that answers with the mean has the error 1."""

from __future__ import annotations

import math

import pandas as pd
import pytest
import torch

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.tables.dataframes import frame_of
from deepcluster_pl.functional.mixed_error import mixed_error
from deepcluster_pl.nets.mlp import MLPAutoencoder
from scripts.examples.mixed_tables import make_people


def data_of(table, scale="auto"):
    data = instantiate_node(compose_checked(["data=array", f"data.scale={scale}"]).cfg.data)
    frame = frame_of(table)
    data.take_over(Table(torch.empty(len(frame), 0).numpy(), range(len(frame)), None, frame=frame))
    data.setup()
    return data


def net_of(data, error="mixed"):
    torch.manual_seed(0)
    net = MLPAutoencoder(data.input_shape, [8, 2], "relu", None, "fan_in_uniform", error)
    net.measure(data)
    return net


def test_it_agrees_with_a_loop_over_rows_and_columns():
    torch.manual_seed(0)
    output, weights = torch.randn(4, 6), torch.tensor([0.5, 0, 0, 0, 0, 2.0])
    levels = torch.tensor([[1.0, 0], [0, 1], [0.3, 0.7], [1, 0]])
    x = torch.cat([torch.randn(4, 1), (levels - 0.1) * 3, torch.zeros(4, 2), torch.randn(4, 1)], dim=1)
    places, entropies = torch.tensor([[1, 2, 6], [3, 4, 5]])[:1], torch.tensor([0.7])
    shares = torch.stack([torch.full((6,), 0.1), torch.full((6,), 1 / 3)])
    expected = 0.0
    for row in range(4):
        for j, weight in enumerate(weights.tolist()):
            expected += weight * (output[row, j] - x[row, j]).item() ** 2 / 4
        total = sum(math.exp(value) for value in output[row, 1:3].tolist())
        for j in (1, 2):
            expected -= 0.7 * levels[row, j - 1].item() * (output[row, j].item() - math.log(total)) / 4
    assert mixed_error(output, x, weights, places, shares, entropies).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("scale", ["auto", "none", "unit"])
def test_columns_weigh_alike_so_that_the_mean_has_the_error_one(scale):
    table = make_people(600, 0).drop(columns=["group"]).assign(same=1.0)
    data = data_of(table, scale)
    net, x = net_of(data), torch.from_numpy(data.prepared("fit"))
    usual = (x / net.factor + net.shift).mean(dim=0)
    mean = x.mean(dim=0)
    places = net.error_places[net.error_places < len(mean)]
    mean[places] = usual[places].log()
    assert net.error(mean.expand_as(x), x).item() == pytest.approx(1.0, abs=0.02)


def test_rows_of_numbers_and_squared_have_the_mean_square_and_states_hold_nothing_more():
    numbers = pd.DataFrame(torch.randn(40, 3, generator=torch.Generator().manual_seed(0)).numpy(), columns=[*"abc"])
    mixed = numbers.assign(kind=["red", "blue"] * 20)
    for data, error in ((data_of(numbers), "mixed"), (data_of(mixed), "squared")):
        net, x = net_of(data, error), torch.from_numpy(data.prepared("fit"))
        assert torch.equal(net.error(x * 2, x), torch.nn.functional.mse_loss(x * 2, x))
    assert net_of(data_of(mixed)).state_dict().keys() == net_of(data_of(mixed), "squared").state_dict().keys()
