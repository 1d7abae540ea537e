"""Layerwise pretraining: a stack of denoising autoencoders, one layer after the other, then all layers together."""

from __future__ import annotations

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.step import Draws, Losses, LossModule, OptimizerFactory, Place
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.metric_logging import EpochMean
from deepcluster_pl.utils.random import generator_at
from deepcluster_pl.utils.ranges import Count, NonNegativeInt, OpenShare


class LayerwiseDenoising(LossModule):
    """Stacked denoising autoencoder (Vincent and others 2010), as DEC pretrains (Xie, Girshick, Farhadi 2016, 3.2).

    In phase i only layer i of the encoder and the decoder's layer that mirrors it are trained. With h the clean output
    of the layers below, layer i reads dropout(h), the mirror reads dropout of what layer i makes of it, and the error
    is the mean of (mirror's output - h)². The last phase trains the whole net without dropout to reproduce its input.

    The phase is a function of the epoch alone, and each phase begins with a fresh optimizer state. What dropout takes
    away depends on `seed` and on the batch's place in training alone, so a resumed run sees the same.

    Args:
        net: the autoencoder; the run supplies it.
        optimizer: makes the optimizer of all its parameters; those without a gradient in a phase stay as they are.
        augment: distorts training batches, which then are input and target as distorted; held-out samples stay clean.
        epochs_per_layer: length of each layer's phase; the epochs that are left train all layers together.
        dropout: share of each layer's input and of its output that is set to zero; the rest is scaled up to make up.
        decay_every: epochs within a phase after which the step size is divided by ten; null keeps it.
        seed: decides what dropout takes away.

    Attributes:
        layers: pairs of an encoder layer and its mirror in the decoder, the layer that reads the samples first.
    """

    def __init__(
        self,
        net: Autoencoder,
        optimizer: OptimizerFactory,
        augment: Affine | None,
        epochs_per_layer: Count,
        dropout: OpenShare,
        decay_every: Count | None,
        seed: NonNegativeInt,
    ) -> None:
        super().__init__(net, optimizer, augment)
        self.layers = layer_pairs(net)
        self.epochs_per_layer = epochs_per_layer
        self.dropout = dropout
        self.decay_every = decay_every
        self._mse = EpochMean()
        self.seed = seed

    def phase(self, epoch: int) -> int:
        """Which layer an epoch trains, from 0; the number of layers where it trains all of them."""
        return min(epoch // self.epochs_per_layer, len(self.layers))

    def on_fit_start(self) -> None:
        """`UserError` where no epoch is left for the whole net."""
        epochs, needed = self.trainer.max_epochs, len(self.layers) * self.epochs_per_layer
        if epochs is not None and 0 <= epochs <= needed:
            fewer = (epochs - 1) // len(self.layers)
            raise UserError(
                f"pretrain.max_epochs={epochs} leaves no epoch to train all layers together: {len(self.layers)} layers "
                f"take pretrain.module.epochs_per_layer={self.epochs_per_layer} each; type pretrain.max_epochs="
                f"{needed + 1} or more" + (f", or pretrain.module.epochs_per_layer={fewer} or fewer" if fewer else "")
            )

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """A phase begins without the momentum of the one before, and at the full step size."""
        if batch_idx > 0:  # on_train_epoch_start is not called in the epoch after a resume from a last batch
            return
        optimizer = self.optimizers(use_pl_optimizer=False)
        age = self.current_epoch - self.phase(self.current_epoch) * self.epochs_per_layer
        if age == 0:
            optimizer.state.clear()  # type: ignore[union-attr]
        if self.decay_every is not None:
            for group in optimizer.param_groups:  # type: ignore[union-attr]
                group["lr"] = optimizer.defaults["lr"] * 0.1 ** (age // self.decay_every)  # type: ignore[union-attr]

    def draw(self, n_samples: int, place: Place) -> Draws:
        """Draw the distortion's amounts and, where one layer trains alone, the values that dropout keeps."""
        draws, phase = super().draw(n_samples, place), self.phase(place[0])
        if phase < len(self.layers):
            # The 1 separates this stream from the one that the distortion draws from at the same place
            generator = generator_at(self.seed, *place, 1)
            for name, shape in zip(("input", "hidden"), self._shapes[phase], strict=True):
                draws[name] = torch.rand((n_samples, *shape), generator=generator) >= self.dropout
        return draws

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute the error of one batch in the phase that the epoch belongs to."""
        x, _ = batch
        phase = self.phase(self.current_epoch)
        if phase == len(self.layers):
            return {"loss": self.error(x)}
        # The layers below are trained already; their clean output is input and target of this one
        with torch.no_grad():
            for below, _ in self.layers[:phase]:
                x = below(x)
        layer, mirror = self.layers[phase]
        hidden = layer(drop(x, draws["input"], self.dropout))
        return {"loss": F.mse_loss(mirror(drop(hidden, draws["hidden"], self.dropout)), x)}

    def error(self, x: Tensor) -> Tensor:
        """Compute the mean squared error of the whole net on prepared samples (B, *input_shape)."""
        return F.mse_loss(self.net.decode(self.net.encode(x)), x)

    def log_losses(self, losses: Losses, n_samples: int) -> None:
        """Add the error to the epoch's mean."""
        self._mse.add(losses["loss"], n_samples)

    @cached_property
    @torch.no_grad()
    def _shapes(self) -> list[tuple[torch.Size, torch.Size]]:
        """Shapes of one sample before and after each layer, found by passing one through."""
        x, found = self.net.shift.new_zeros((1, *self.net.input_shape)), []
        for layer, _ in self.layers:
            before, x = x, layer(x)
            found.append((before.shape[1:], x.shape[1:]))
        return found

    def on_train_epoch_end(self) -> None:
        """Log the epoch's mean, under a name of the phase's own."""
        phase = self.phase(self.current_epoch)
        self._mse.log(self, f"pretrain/mse_layer_{phase + 1}" if phase < len(self.layers) else "pretrain/mse")

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """The whole net's error on held-out samples, in every phase; nothing is chosen by it."""
        self.log("pretrain/mse_holdout", self.error(self.net.prepare(batch[0])), batch_size=len(batch[0]))


def layer_pairs(net: Autoencoder) -> list[tuple[nn.Sequential, nn.Sequential]]:
    """Each layer of the encoder with the decoder's that mirrors it; a layer ends with its activation.

    Raises:
        UserError: where encoder and decoder are no chains of as many layers with weights.
    """
    encoder, decoder = _layers(net.encoder), _layers(net.decoder)
    trainable = all(next(layer.parameters(), None) is not None for layer in (*encoder, *decoder))
    if not encoder or len(encoder) != len(decoder) or not trainable:
        raise UserError(
            f"pretrain=layerwise needs an encoder and a decoder that are chains of as many layers; found "
            f"{type(net).__name__}; type pretrain=reconstruction, or net=mlp_autoencoder or net=conv_autoencoder"
        )
    return list(zip(encoder, reversed(decoder), strict=True))


def drop(h: Tensor, kept: Tensor, share: float) -> Tensor:
    """Set values to zero and scale up the others, so that the mean stays.

    Args:
        h: values, of any shape.
        kept: mask of the values that stay, on any device.
        share: expected share of values that are set to zero.

    Returns:
        Values of the same shape.

    >>> drop(torch.ones(4), torch.tensor([True, False, True, False]), 0.5).tolist()
    [2.0, 0.0, 2.0, 0.0]
    """
    return h * kept.to(h.device) / (1 - share)


def _layers(part: nn.Module) -> list[nn.Sequential]:
    found: list[list[nn.Module]] = [[]]
    for module in part if isinstance(part, nn.Sequential) else []:
        found[-1].append(module)
        if type(module).__module__ == nn.ReLU.__module__:  # torch keeps all activations in one file
            found.append([])
    return [nn.Sequential(*layer) for layer in found if layer]
