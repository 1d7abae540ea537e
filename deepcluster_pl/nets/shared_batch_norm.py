"""Batch normalization over the samples of all processes of a run, on any device."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deepcluster_pl.utils.distributed import mean_over_processes, sum_over_processes, world_size


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization whose means and variances are of the whole batch, however many processes share it.

    With one process, and in evaluation mode, it is PyTorch's own, and so are its weights. PyTorch's own for several
    processes (`SyncBatchNorm`) works on GPUs only.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # PyTorch's name
        """Normalize each channel.

        Args:
            input: values (N, C, H, W).

        Returns:
            Values of the same shape.
        """
        if not self.training or world_size() == 1:
            return super().forward(input)
        with torch.autocast(input.device.type, enabled=False):
            x = input.float()
            # Means and variances (C,) over samples and places
            mean = mean_over_processes(x.mean(dim=(0, 2, 3)), len(x))
            centered = x - mean[:, None, None]
            variance = mean_over_processes(centered.square().mean(dim=(0, 2, 3)), len(x))
            self._update_running(mean.detach(), variance.detach(), x)
            factor = self.weight * torch.rsqrt(variance + self.eps)
            return (centered * factor[:, None, None] + self.bias[:, None, None]).to(input.dtype)

    @torch.no_grad()
    def _update_running(self, mean: Tensor, variance: Tensor, x: Tensor) -> None:
        """Move the running means and variances, which evaluation mode uses, towards those of this batch."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        n = sum_over_processes(x.new_tensor(x.numel() / x.shape[1]))
        self.running_mean.lerp_(mean.to(self.running_mean), self.momentum)
        self.running_var.lerp_((variance * n / (n - 1)).to(self.running_var), self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
