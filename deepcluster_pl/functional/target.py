"""DEC's target distribution: sharpened soft assignments, which training makes the assignments approach."""

from __future__ import annotations

from torch import Tensor


def target_distribution(q: Tensor) -> Tensor:
    """Compute the target p: q squared, divided by each cluster's total, rows renormalized to one.

    p_ij ∝ q_ij² / f_j with f_j = Σ_i q_ij (Xie, Girshick, Farhadi 2016, equation 3). The totals f run over the whole
    data set: pass all N rows, never a mini-batch, which would be another algorithm. An empty cluster (f_j = 0) gets no
    target mass.

    Args:
        q: soft assignment, probabilities (N, K) of all samples.

    Returns:
        Target probabilities (N, K), whose rows sum to one.

    >>> import torch
    >>> target_distribution(torch.tensor([[0.75, 0.25], [0.25, 0.75]])).tolist()
    [[0.8999999761581421, 0.10000000149011612], [0.10000000149011612, 0.8999999761581421]]
    """
    totals = q.sum(dim=0)
    weight = q.square().div_(totals.clamp_min(1e-30))  # in place: N may be large, and nothing differentiates p
    return weight.div_(weight.sum(dim=1, keepdim=True))
