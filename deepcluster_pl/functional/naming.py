"""Words that tell one group from the rest: they are likely in it, and less likely elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_CLEAR = 0.15
"""Sum of a name's scores from which the words say what a group shows, and not only what it resembles."""
_BESIDE = 0.35
"""Further words of a name score at least this share of the first one."""
_MOST_WORDS = 3


def word_scores(probabilities: Tensor, clusters: Tensor, n_clusters: int) -> Tensor:
    """Compute p·log(p / q) of every word in every group: its part of the divergence between the group and everything.

    Args:
        probabilities: of each word (N, V) for each sample.
        clusters: of each sample (N,); those outside 0 … K-1 count for everything alone.
        n_clusters: K.

    Returns:
        Scores (K, V); p is the mean probability of a word in the group, and q that in all samples. 0 for empty groups.

    >>> p = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> word_scores(p, torch.tensor([0, 1]), 2).tolist()
    [[0.6931471824645996, 0.0], [0.0, 0.6931471824645996]]
    """
    everywhere = probabilities.mean(dim=0)
    scores = torch.zeros(n_clusters, probabilities.shape[1], dtype=probabilities.dtype)
    for k in range(n_clusters):
        members = clusters == k
        if members.any():
            p = probabilities[members].mean(dim=0)
            scores[k] = torch.special.xlogy(p, p) - torch.special.xlogy(p, everywhere)
    return scores


def group_names(scores: Tensor, words: Sequence[str]) -> list[str]:
    """Return a name for each group, made of its best words; no two are equal.

    A group whose words hardly stand out is called "like: …" after what it resembles, and one without any is called
    "group <number>".

    Args:
        scores: (K, V), see `word_scores`.
        words: V of them.

    >>> group_names(torch.tensor([[0.5, 0.4, 0.0], [0.06, 0.0, 0.05], [0.0, 0.0, 0.0]]), ["cat", "dog", "menu"])
    ['cat, dog', 'like: cat, menu', 'group 2']
    """
    names: list[str] = []
    for k, row in enumerate(scores):
        best = torch.argsort(row, descending=True, stable=True)[:_MOST_WORDS].tolist()
        first = float(row[best[0]]) if best else 0.0
        chosen = [word for word in best if row[word] > 0 and row[word] >= _BESIDE * first]
        name = ", ".join(words[word] for word in chosen)
        if not name:
            name = f"group {k}"
        elif float(row[best].clamp(min=0).sum()) < _CLEAR:
            name = f"like: {name}"
        # A second group of the same words gets its number
        names.append(f"{name} ({k})" if name in names else name)
    return names
