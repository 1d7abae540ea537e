"""The objects that a config describes, made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig

from deepcluster_pl.config.instantiate import instantiate_all, instantiate_node
from deepcluster_pl.config.nodes import with_augment, with_n_clusters
from deepcluster_pl.config.trainer_arguments import divided
from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.samples import Table
from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.projection import check_map
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.initial_clustering import check_clusterer
from deepcluster_pl.methods.initialization.n_clusters import AUTO, SplitHalfStability
from deepcluster_pl.methods.student import Student
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.training.stepping import Stepping


@dataclass(frozen=True)
class Recipe:
    """A checked config and the objects it describes. Net, pretraining and method are made once their inputs are known.

    Attributes:
        cfg: the config.
        data: source of the samples, not loaded yet.
        make_trainer: `pytorch_lightning.Trainer` with the machine's settings.
        stepping: who takes the optimizer steps.
        make_loggers: loggers by name, called with save_dir and name.
        choose: estimates the number of clusters; None if the number was typed.
        clusterer: finds the initial clusters. While `choose` is not None, its number of clusters is preliminary.
        callbacks: callbacks of the fit, with the same number of clusters.
        shares_data: whether `data` is loaded already, by the run that this recipe is a candidate of.
    """

    cfg: DictConfig
    data: ClusteringData
    make_trainer: Callable[..., pl.Trainer]
    stepping: Stepping
    make_loggers: Mapping[str, Callable[..., Any] | None]
    choose: SplitHalfStability | None
    clusterer: Any
    callbacks: list[pl.Callback]
    shares_data: bool = False

    @staticmethod
    def from_config(cfg: DictConfig, samples: Table | None = None, loaded: ClusteringData | None = None) -> Recipe:
        """Make the objects of a checked config.

        Args:
            cfg: the config.
            samples: samples in memory, which take the place of what the source would load.
            loaded: data that another recipe has loaded, by the same `cfg.data`; None loads them.

        Returns:
            The recipe.

        Raises:
            UserError: a constructor refuses its arguments.
        """
        is_open = cfg.n_clusters == AUTO
        known = with_n_clusters(cfg, cfg.choose.smallest) if is_open else cfg
        data: ClusteringData = instantiate_node(cfg.data) if loaded is None else loaded
        if samples is not None:
            data.take_over(samples)
        check_map(cfg.map)
        lightning, own = divided(cfg.trainer)
        if lightning.get("check_val_every_n_epoch") == "auto":  # which is known once there are samples
            lightning["check_val_every_n_epoch"] = 1
        recipe = Recipe(
            cfg=cfg,
            data=data,
            make_trainer=instantiate_node(lightning, _partial_=True),
            stepping=Stepping(**own),
            make_loggers=instantiate_node(cfg.logger) or {},
            choose=instantiate_node(cfg.choose) if is_open else None,
            clusterer=instantiate_node(known.start),
            callbacks=instantiate_all(known.callbacks),
            shares_data=loaded is not None,
        )
        check_clusterer(recipe.clusterer)
        return recipe

    def with_n_clusters(self, n_clusters: int) -> Recipe:
        """Return the recipe for a number of clusters that was estimated."""
        cfg = with_n_clusters(self.cfg, n_clusters)
        clusterer, callbacks = instantiate_node(cfg.start), instantiate_all(cfg.callbacks)
        return replace(self, cfg=cfg, choose=None, clusterer=clusterer, callbacks=callbacks)

    def with_distortions(self, amounts: Mapping[str, float | bool], fill: str, seed: int) -> Recipe:
        """Return the recipe with distortions that were found, or without any where all amounts are nothing.

        Args:
            amounts: arguments of `Affine`.
            fill: what is outside an image.
            seed: of the draws.
        """
        target = f"{Affine.__module__}.{Affine.__qualname__}"
        node = {"_target_": target, **amounts, "fill": fill, "seed": seed} if any(amounts.values()) else None
        return replace(self, cfg=with_augment(self.cfg, node))

    def load_data(self) -> ClusteringData:
        """Load, check and split the samples; raise `UserError` where they are too few or the fit is too short."""
        self.data.setup()
        n = len(self.data.part("fit"))
        if self.choose is not None:
            # Too few samples for an estimate get the smallest number, unless they are fewer than that
            self.choose.check(max(n, self.choose.least))
            if n < self.choose.smallest:
                raise UserError(f"found n_samples={n}, expected at least {self.choose.smallest} to make groups of")
        elif n < self.cfg.n_clusters:
            raise UserError(
                f"n_samples={n} should be >= n_clusters={self.cfg.n_clusters}; type n_clusters={n} or fewer"
            )
        # Samples that the student cannot read are refused now rather than after the fit
        if self.cfg.get("student") is not None:
            with torch.device("meta"):
                self.make_student_net()
        n_neighbors = self.cfg.method.get("n_neighbors")
        if n_neighbors is not None and n <= n_neighbors:
            raise UserError(
                f"method.n_neighbors={n_neighbors} should be below the {n} samples; type "
                f"method.n_neighbors={max(1, n // 3)}, or a method without neighbors such as method=kmeans"
            )
        # A fit too short for a callback is refused now rather than after pretraining
        batches = -(-n // self.cfg.fit.batch_size)
        steps_per_epoch = -(-batches // (self.cfg.trainer.get("accumulate_grad_batches") or 1))
        for callback in self.callbacks:
            if hasattr(callback, "check"):
                callback.check(self.cfg.fit.max_steps, steps_per_epoch)
        return self.data

    def make_net(self) -> Autoencoder:
        """Make the net for samples of the data's shape, with fresh weights."""
        net: Autoencoder = instantiate_node(self.cfg.net, input_shape=self.data.input_shape)
        return net

    def make_student_net(self) -> Autoencoder:
        """Make the net of a student for samples of the data's shape."""
        net: Autoencoder = instantiate_node(self.cfg.student.net, input_shape=self.data.input_shape)
        return net

    def make_student(self) -> Student:
        """Make a student; a round draws its weights."""
        net = self.make_student_net()
        net.measure(self.data)
        student: Student = instantiate_node(self.cfg.student.method, net=net)
        return student

    def make_pretraining(self, net: Autoencoder) -> tuple[pl.LightningModule, list[pl.Callback]]:
        """Make the module that pretrains a net, and its callbacks."""
        return instantiate_node(self.cfg.pretrain.module, net=net), instantiate_all(self.cfg.pretrain.callbacks)

    def make_method(self, net: Autoencoder) -> ClusteringModule:
        """Make the clustering method around a pretrained net."""
        method: ClusteringModule = instantiate_node(self.cfg.method, net=net)
        return method
