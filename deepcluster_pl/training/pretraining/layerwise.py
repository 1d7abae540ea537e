"""Pretrain an autoencoder layer by layer as denoising autoencoders, and then all layers together."""

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

    Phase i trains layer i of the encoder and the decoder's layer that mirrors it. Let h be the clean output of the
    layers below. Layer i reads dropout(h), its mirror reads dropout of the output of layer i, and the error is the
    mean of (output of the mirror - h)². The last phase trains the whole net without dropout to reproduce its input.

    The phase depends on the epoch alone, and each phase begins with a fresh optimizer state. The values that dropout
    removes depend on `seed` and on the batch's place in training alone, so a resumed run removes the same.

    Args:
        net: the autoencoder; the run supplies it.
        optimizer: makes the optimizer of all parameters; those without a gradient in a phase do not change.
        augment: distorts training batches, which are reconstructed as distorted; held-out samples stay clean.
        epochs_per_layer: number of epochs of each layer's phase; the remaining epochs train all layers together.
        dropout: share of each layer's input and of its output that is set to zero; the others are scaled up.
        decay_every: number of epochs in a phase after which the learning rate is divided by ten; None for never.
        seed: seed of the dropout.

    Attributes:
        layers: pairs of an encoder layer and its mirror in the decoder, in the order of the encoder.
    """

    distributable = True

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
        """Return the layer that an epoch trains, from 0; the number of layers if it trains all of them."""
        return min(epoch // self.epochs_per_layer, len(self.layers))

    def on_fit_start(self) -> None:
        """Raise `UserError` if no epoch is left for the whole net."""
        epochs, needed = self.trainer.max_epochs, len(self.layers) * self.epochs_per_layer
        if epochs is not None and 0 <= epochs <= needed:
            fewer = (epochs - 1) // len(self.layers)
            raise UserError(
                f"pretrain.max_epochs={epochs} leaves no epoch to train all layers together: {len(self.layers)} layers "
                f"take pretrain.module.epochs_per_layer={self.epochs_per_layer} each; type pretrain.max_epochs="
                f"{needed + 1} or more" + (f", or pretrain.module.epochs_per_layer={fewer} or fewer" if fewer else "")
            )

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Begin a phase with a fresh optimizer state and the full learning rate, and lower the rate within it."""
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
        """Draw the random numbers of one step.

        Args:
            n_samples: B, the size of the batch.
            place: the batch's place in training.

        Returns:
            The distortion's amounts and, where one layer is trained alone, masks of the values that dropout leaves:
            `input` and `hidden`, before and after the layer.
        """
        draws, phase = super().draw(n_samples, place), self.phase(place[0])
        if phase < len(self.layers):
            # The 1 separates this stream from the one that the distortion draws from at the same place
            generator = generator_at(self.seed, *place, 1)
            for name, shape in zip(("input", "hidden"), self._shapes[phase], strict=True):
                draws[name] = torch.rand((n_samples, *shape), generator=generator) >= self.dropout
        return draws

    def step_constants(self) -> tuple[int]:
        """Return the phase of the current epoch."""
        return (self.phase(self.current_epoch),)

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute the error of one batch in the phase of the current epoch.

        Args:
            batch: prepared samples (B, *input_shape) and their row numbers (B,).
            draws: as `draw` returned them.

        Returns:
            `loss`, the mean squared error.
        """
        x, _ = batch
        phase = self.phase(self.current_epoch)
        if phase == len(self.layers):
            return {"loss": self.error(x)}
        # The clean output of the layers below, which are trained already, is input and target of this layer
        with torch.no_grad():
            for below, _ in self.layers[:phase]:
                x = below(x)
        # Reconstruct it from values with dropout
        layer, mirror = self.layers[phase]
        hidden = layer(drop(x, draws["input"], self.dropout))
        error = self.net.error if phase == 0 else F.mse_loss  # the first layer's mirror makes outputs of the decoder
        return {"loss": error(mirror(drop(hidden, draws["hidden"], self.dropout)), x)}

    def idle_parameters(self) -> list[nn.Parameter]:
        """Return the weights that the phase of the current epoch does not train."""
        phase = self.phase(self.current_epoch)
        if phase == len(self.layers):
            return []
        trained = {id(weight) for part in self.layers[phase] for weight in part.parameters()}
        return [weight for weight in self.parameters() if weight.requires_grad and id(weight) not in trained]

    def error(self, x: Tensor) -> Tensor:
        """Compute the mean squared error of the whole net on prepared samples (B, *input_shape)."""
        return self.net.error(self.net.decode(self.net.encode(x)), x)

    def log_losses(self, losses: Losses, n_samples: int) -> None:
        """Add the error of one batch to the mean of the epoch."""
        self._mse.add(losses["loss"], n_samples)

    @cached_property
    @torch.no_grad()
    def _shapes(self) -> list[tuple[torch.Size, torch.Size]]:
        """Return the shapes of one sample before and after each layer."""
        x, shapes = self.net.shift.new_zeros((1, *self.net.input_shape)), []
        for layer, _ in self.layers:
            before, x = x, layer(x)
            shapes.append((before.shape[1:], x.shape[1:]))
        return shapes

    def on_train_epoch_end(self) -> None:
        """Log the mean of the epoch, under a name of its own for each phase."""
        phase = self.phase(self.current_epoch)
        self._mse.log(self, f"pretrain/mse_layer_{phase + 1}" if phase < len(self.layers) else "pretrain/mse")

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the error of the whole net on held-out samples, in every phase. Nothing is chosen by it."""
        self.log(
            "pretrain/mse_holdout", self.error(self.net.prepare(batch[0])), sync_dist=True, batch_size=len(batch[0])
        )


def layer_pairs(net: Autoencoder) -> list[tuple[nn.Sequential, nn.Sequential]]:
    """Return each layer of the encoder with the layer of the decoder that mirrors it; a layer ends with its activation.

    Raises:
        UserError: encoder and decoder are not chains of equally many layers with weights.
    """
    encoder, decoder = _layers(net.encoder), _layers(net.decoder)
    trainable = all(next(layer.parameters(), None) is not None for layer in (*encoder, *decoder))
    if not encoder or len(encoder) != len(decoder) or not trainable:
        raise UserError(
            f"pretrain=layerwise needs an encoder and a decoder that are chains of equally many layers; found "
            f"{type(net).__name__}; type pretrain=reconstruction, or net=mlp_autoencoder or net=conv_autoencoder"
        )
    return list(zip(encoder, reversed(decoder), strict=True))


def drop(h: Tensor, kept: Tensor, share: float) -> Tensor:
    """Set values to zero and scale up the others, so that the expected mean stays.

    Args:
        h: values of any shape.
        kept: mask of the values that stay, of the same shape, on any device.
        share: expected share of the values that are set to zero.

    Returns:
        Values of the same shape.

    >>> drop(torch.ones(4), torch.tensor([True, False, True, False]), 0.5).tolist()
    [2.0, 0.0, 2.0, 0.0]
    """
    return h * kept.to(h.device) / (1 - share)


def _layers(part: nn.Module) -> list[nn.Sequential]:
    """Split a chain of modules into layers, after each activation; return no layers if the part is not a chain."""
    layers: list[list[nn.Module]] = [[]]
    for module in part if isinstance(part, nn.Sequential) else []:
        layers[-1].append(module)
        if type(module).__module__ == nn.ReLU.__module__:  # torch keeps all activations in one file
            layers.append([])
    return [nn.Sequential(*layer) for layer in layers if layer]
