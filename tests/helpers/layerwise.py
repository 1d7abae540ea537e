"""A small net for layerwise pretraining, a batch for it, and a callback that watches which weights move."""

from __future__ import annotations

import functools

import pytorch_lightning as pl
import torch

from deepcluster_pl.nets.mlp import MLPAutoencoder
from deepcluster_pl.training.pretraining.layerwise import LayerwiseDenoising

DIMS = (7, 6, 3)
SGD = functools.partial(torch.optim.SGD, lr=0.1)


def mlp(**changes):
    torch.manual_seed(0)
    options = {"activation": "relu", "code_activation": None, "init": "glorot_uniform"} | changes
    return MLPAutoencoder((4, 2), list(DIMS), **options)


def layerwise(net=None, optimizer=SGD, augment=None, per_layer=2, dropout=0.3, decay_every=None, seed=5):
    return LayerwiseDenoising(net or mlp(), optimizer, augment, per_layer, dropout, decay_every, seed)


def batch(n=9, shape=(4, 2)):
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(3)), torch.arange(n)


def parameters_of(*layers):
    return [parameter for layer in layers for parameter in layer.parameters()]


class Watch(pl.Callback):
    """Notes after every epoch which parameters it moved, the step size, and how many parameters have a state."""

    def __init__(self):
        self.moved, self.rates, self.states = [], [], []

    def on_train_epoch_start(self, trainer, pl_module):
        self.before = [parameter.detach().clone() for parameter in pl_module.net.parameters()]

    def on_train_epoch_end(self, trainer, pl_module):
        now = list(pl_module.net.parameters())
        self.moved.append({id(p) for p, old in zip(now, self.before, strict=True) if not torch.equal(p, old)})
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])
        self.states.append(len(trainer.optimizers[0].state))


def trained(module, epochs, shape=(4, 2), **options):
    data = torch.utils.data.TensorDataset(torch.rand(20, *shape), torch.arange(20))
    watch = Watch()
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=epochs, callbacks=[watch], logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, limit_val_batches=1, **options,
    )  # fmt: skip
    loader = torch.utils.data.DataLoader(data, batch_size=5)
    trainer.fit(module, loader, loader)
    return watch
