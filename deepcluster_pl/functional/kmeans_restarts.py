"""k-means, all restarts at once: every iteration of all of them is a few matrix products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_VALUES_AT_ONCE = 2**27
"""Distances in memory at once: half a gigabyte."""


@dataclass(frozen=True)
class KMeansResult:
    """The best of several restarts.

    Attributes:
        centers: cluster centers (K, D), float32.
        labels: nearest center (N,) of each point, int64.
        inertia: sum of squared distances to the nearest center.
        n_iter: iterations of that restart.
    """

    centers: Tensor
    labels: Tensor
    inertia: float
    n_iter: int


@torch.no_grad()
def kmeans_restarts(
    x: Tensor, n_clusters: int, n_init: int, max_iter: int, tol: float, seed: int, greedy: bool = True
) -> KMeansResult:
    """Cluster points by Lloyd's algorithm from several starts, and return the result with the least inertia.

    The starts are drawn by greedy k-means++ (Arthur, Vassilvitskii 2007), as scikit-learn's are. A restart ends when no
    label changes, or when its centers move by less than `tol`. An empty cluster gets the point that is farthest from
    its center. Sums over clusters are matrix products with zeros and ones, without atomic additions, so the same seed
    gives the same result on the same device.

    Args:
        x: points (N, D), float32, on any device.
        n_clusters: K, at most N.
        n_init: number of restarts.
        max_iter: iterations of a restart, at most.
        tol: squared movement of all centers that ends a restart, in mean variances of a feature.
        seed: decides the starts; the draws are the same on every device.
        greedy: False takes random points as starts.

    Returns:
        The best restart.
    """
    middle = x.mean(dim=0)
    x = x - middle
    squares = x.square().sum(dim=1)
    draw = np.random.default_rng(seed)
    start = _plus_plus if greedy else _random_points
    centers = start(x, squares, n_clusters, n_init, draw)
    # Lloyd's iterations of all restarts that still move
    limit = tol * float(x.var(dim=0, unbiased=False).mean())
    moving, labels = torch.arange(n_init, device=x.device), None
    n_iter = torch.full((n_init,), max_iter, device=x.device)
    for number in range(1, max_iter + 1):
        found, moved = _step(x, squares, centers[moving])
        shift = (moved - centers[moving]).square().sum(dim=(1, 2))
        centers[moving] = moved
        done = shift <= limit
        if labels is not None:
            done |= (found == labels).all(dim=0)
        n_iter[moving[done]] = number
        moving, labels = moving[~done], found[:, ~done]
        if not len(moving):
            break
    # The nearest centers in the end
    found, distances = _nearest(x, squares, centers)
    inertia = distances.double().sum(dim=0)
    best = int(inertia.argmin())
    return KMeansResult(centers[best] + middle, found[:, best].clone(), float(inertia[best]), int(n_iter[best]))


def _step(x: Tensor, squares: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Return the nearest centers (N, R) of each restart, and the means (R, K, D) of the points that are nearest."""
    r, k, d = centers.shape
    found, distances = _nearest(x, squares, centers)
    sums, counts = x.new_zeros(r * k, d), x.new_zeros(r * k)
    first = torch.arange(r, device=x.device) * k
    for rows in _slices(len(x), r * k):
        member = x.new_zeros(len(x[rows]), r * k).scatter_(1, found[rows] + first, 1.0)
        sums += member.T @ x[rows]
        counts += member.sum(dim=0)
    sums, counts = sums.view(r, k, d), counts.view(r, k)
    # Empty clusters take over the points that are farthest from their centers
    for restart in torch.nonzero((counts == 0).any(dim=1))[:, 0].tolist():
        empty = torch.nonzero(counts[restart] == 0)[:, 0]
        far = distances[:, restart].topk(len(empty)).indices
        old = found[far, restart]
        sums[restart].index_put_((old,), -x[far], accumulate=True)
        counts[restart].index_put_((old,), -torch.ones_like(far, dtype=x.dtype), accumulate=True)
        sums[restart, empty], counts[restart, empty] = x[far], 1.0
    return found, torch.where(counts[:, :, None] > 0, sums / counts.clamp_min(1)[:, :, None], centers)


def _nearest(x: Tensor, squares: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Return the nearest center (N, R) of each point in each restart, and its squared distance (N, R)."""
    r, k, d = centers.shape
    flat = centers.reshape(r * k, d)
    norms = flat.square().sum(dim=1)
    found, distances = [], []
    for rows in _slices(len(x), r * k):
        values, indices = torch.addmm(norms, x[rows], flat.T, alpha=-2).view(-1, r, k).min(dim=2)
        found.append(indices)
        distances.append((values + squares[rows, None]).clamp_min(0))
    return torch.cat(found), torch.cat(distances)


def _plus_plus(x: Tensor, squares: Tensor, k: int, r: int, draw: np.random.Generator) -> Tensor:
    """Draw centers (R, K, D): each one is far from those before it, and the best of a few that were drawn."""
    n, n_trials = len(x), 2 + int(np.log(k))
    chosen = torch.from_numpy(draw.integers(n, size=(r, 1))).to(x.device)
    closest = _distances(x, squares, chosen)[:, :, 0]
    for _ in range(1, k):
        # Points with probabilities in proportion to the squared distance; summed on the CPU, in a fixed order
        sums = closest.T.cpu().double().cumsum(dim=1)
        wanted = torch.from_numpy(draw.random((r, n_trials))) * sums[:, -1:]
        tried = torch.searchsorted(sums, wanted).clamp_max(n - 1).to(x.device)
        # Of those, the one that leaves the least
        left = torch.minimum(_distances(x, squares, tried), closest[:, :, None])
        best = left.sum(dim=0).argmin(dim=1)
        rows = torch.arange(r, device=x.device)
        closest = left[:, rows, best]
        chosen = torch.cat([chosen, tried[rows, best][:, None]], dim=1)
    return x[chosen]


def _random_points(x: Tensor, squares: Tensor, k: int, r: int, draw: np.random.Generator) -> Tensor:
    """Draw centers (R, K, D): points without repetition."""
    chosen = np.stack([draw.choice(len(x), k, replace=False) for _ in range(r)])
    return x[torch.from_numpy(chosen).to(x.device)]


def _distances(x: Tensor, squares: Tensor, rows: Tensor) -> Tensor:
    """Return the squared distances (N, R, T) of all points to the points in some rows (R, T)."""
    flat = rows.reshape(-1)
    found = torch.addmm(squares[flat], x, x[flat].T, alpha=-2) + squares[:, None]
    return found.clamp_min(0).view(len(x), *rows.shape)


def _slices(n: int, width: int) -> list[slice]:
    """Return slices of n rows, each with so many values of that width that fit into memory."""
    size = max(1, _VALUES_AT_ONCE // width)
    return [slice(i, min(n, i + size)) for i in range(0, n, size)]
