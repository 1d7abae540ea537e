"""Centers of empty clusters: left alone by default, and moved to far samples where that is asked for."""

from __future__ import annotations

import functools

import pytest
import pytorch_lightning as pl
import torch
from training.callbacks.test_target_refresh import K, fit

from deepcluster_pl.functional import cluster_sizes
from deepcluster_pl.methods.dcn import DCN

FAR = 1e3


class Empties(pl.Callback):
    """Moves the last cluster's center far away before one optimizer step, and records the momenta of each step."""

    def __init__(self, step=3):
        self.step, self.momenta = step, {}

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.global_step == self.step:
            pl_module.centers.data[-1] = FAR
        state = trainer.optimizers[0].state.get(pl_module.centers, {})
        if "momentum_buffer" in state:
            self.momenta[trainer.global_step] = state["momentum_buffer"].clone()


def sizes(refresh):
    return cluster_sizes(refresh.clusters, K).tolist()


def test_by_default_an_empty_cluster_stays_empty():
    module, *_, recorder = fit(max_steps=9, watch=[Empties()])
    assert sizes(recorder.refreshes[1])[-1] == 0
    assert recorder.refreshes[1].n_reseeded == 0
    assert float(module.centers.detach()[-1].min()) > FAR / 2


def test_where_asked_its_center_moves_to_the_sample_farthest_from_its_own_and_the_fit_continues():
    watcher = Empties()
    module, *_, recorder = fit(max_steps=9, tol=0.9, reseed=True, momentum=0.9, watch=[watcher])
    refreshes = recorder.refreshes
    assert [refresh.n_reseeded for refresh in refreshes] == [0, 1, 0]
    assert [refresh.changed is None for refresh in refreshes] == [True, True, False]  # nothing to compare with, no stop
    assert min(sizes(refreshes[1])) > 0
    z, middle = refreshes[1].z, recorder.weights[1][:-1]
    apart = torch.cdist(z, middle).min(dim=1).values
    torch.testing.assert_close(recorder.weights[1][-1], z[apart.argmax()])
    assert watcher.momenta[4][-1].abs().max() == 0
    assert watcher.momenta[4][:-1].abs().min() > 0
    assert float(module.centers.abs().max()) < FAR / 2


def test_it_is_the_same_after_a_resume(tmp_path):
    options = {"reseed": True, "momentum": 0.9}
    whole, *_ = fit(max_steps=10, watch=[Empties()], **options)
    fit(max_steps=6, watch=[Empties()], keep=tmp_path / "six.ckpt", **options)
    resumed, *_ = fit(max_steps=10, watch=[Empties()], ckpt=tmp_path / "six.ckpt", **options)
    assert torch.equal(resumed.centers, whole.centers)


def test_dcn_resets_the_count_of_a_moved_center():
    def make(net, name, n_clusters, alpha, optimizer, augment):
        return DCN(net, name, n_clusters, 1.0, 100, optimizer, augment)

    module, *_, recorder = fit(max_steps=4, reseed=True, make=make, watch=[Empties()])
    assert recorder.refreshes[-1].n_reseeded == 1
    assert int(module.counts[-1]) == 100
    assert int(module.counts[:-1].min()) > 100


@pytest.mark.parametrize("reseed", [False, True])
def test_without_empty_clusters_it_changes_nothing(reseed):
    module, *_ = fit(max_steps=9, reseed=reseed)
    plain, *_ = functools.partial(fit, max_steps=9)()
    assert torch.equal(module.centers, plain.centers)
