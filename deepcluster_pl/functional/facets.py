"""Probability that a picture is of one kind, from the words of a classifier and the share of flat areas."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_LEAST = 1e-3
"""Added to both sides of odds: smaller probabilities of a classifier say nothing."""
_USUALLY_FLAT = 0.3
"""Share of steps between pixels that change nearly nothing, from which a picture looks drawn."""
_DOUBT = 1.5
"""Evidence that is asked for before a kind is as likely as not."""


def kind_probability(words: Tensor, members: Sequence[int], flat: Tensor | None) -> Tensor:
    """Compute the probability of a kind: a logistic function of the odds of its words, and of flat areas.

    No coefficient is fitted. Evidence of words is the logarithm of their odds beside those by chance; flat areas add
    the logarithm of their odds beside those of 0.3.

    Args:
        words: probability (N, V) of each word for each picture.
        members: the words, of V, that stand for the kind.
        flat: share (N,) of flat steps; None where it is not known.

    Returns:
        Probabilities (N,).

    >>> p = torch.tensor([[0.9, 0.1, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]])
    >>> [round(p, 3) for p in kind_probability(p, [0], torch.tensor([0.6, 0.3])).tolist()]
    [0.954, 0.001]
    """
    chance = len(members) / words.shape[1]
    evidence = _log_odds(words[:, list(members)].sum(dim=1)) - float(torch.logit(torch.tensor(chance)))
    if flat is not None:
        evidence = evidence + _log_odds(flat) - float(torch.logit(torch.tensor(_USUALLY_FLAT)))
    return torch.sigmoid(evidence - _DOUBT)


def _log_odds(share: Tensor) -> Tensor:
    """Return the logarithm of odds, finite for shares of 0 and 1."""
    return torch.log((share + _LEAST) / (1 - share + _LEAST))
