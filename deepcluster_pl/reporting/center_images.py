"""A callback that shows the decoded centers in TensorBoard at every refresh."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger

from deepcluster_pl.reporting.figures.centers import decode_centers, draw_centers
from deepcluster_pl.utils.image_layout import is_image


class CenterImages(pl.Callback):
    """Draws `clusters/centers` for TensorBoard, where samples are images and the decoder is trained with the centers.

    Without a TensorBoard logger it does nothing.
    """

    def on_refresh(self, trainer: pl.Trainer, module: Any, refresh: Any) -> None:
        """Draw the centers as they are at a refresh; `TargetRefresh` calls this.

        Args:
            trainer: its TensorBoard loggers get the figure.
            module: the method that is fitted.
            refresh: its `step` is the position on TensorBoard's slider.
        """
        loggers = [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        if not loggers or not trainer.is_global_zero or not is_image(module.net.input_shape):
            return
        if (centers := decode_centers(module)) is not None:
            for logger in loggers:
                logger.experiment.add_figure("clusters/centers", draw_centers(centers), refresh.step)
