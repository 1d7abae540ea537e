"""Words that say what kind a picture is: made on a computer or by a camera, with writing or without."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from deepcluster_pl.functional.facets import kind_probability

MADE, WRITING = "made", "writing"
KIND_WORDS = {
    MADE: ("web site", "comic book", "book jacket", "packet"),
    WRITING: ("web site", "comic book", "book jacket", "packet", "menu", "envelope", "crossword puzzle", "binder"),
}
"""ImageNet's words for things that are printed or drawn, and for things that carry writing; chosen by their meaning."""
_FLAT_STEPS = (5, 6)
"""Numbers of the block `drawing` that are the share of flat steps to the right, and down."""
_OBJECT, _MOST_OBJECTS = 0.1, 3
"""A word is an object of a picture from this probability on."""


def kinds_of(words: Tensor, vocabulary: Sequence[str], drawing: Tensor | None) -> dict[str, Tensor]:
    """Return the probability (N,) of each kind for each picture.

    Args:
        words: probability (N, V) of each word.
        vocabulary: the V words.
        drawing: numbers (N, 36) of the block `drawing`; None where they are not measured.

    Returns:
        Probabilities by the name of the kind, `MADE` and `WRITING`.
    """
    place = {word: i for i, word in enumerate(vocabulary)}
    # A drawing is flat along both axes; the sky and a blurred photo often along one
    flat = None if drawing is None else drawing[:, list(_FLAT_STEPS)].amin(dim=1)
    return {kind: kind_probability(words, [place[word] for word in some], flat) for kind, some in KIND_WORDS.items()}


def objects_of(words: Tensor, vocabulary: Sequence[str]) -> list[str]:
    """Return the likely words of each picture with their probabilities, such as `tabby 0.62; tiger cat 0.21`.

    Args:
        words: probability (N, V) of each word.
        vocabulary: the V words.

    >>> import torch
    >>> objects_of(torch.tensor([[0.7, 0.25, 0.05], [0.4, 0.3, 0.3]]), ["cat", "dog", "menu"])
    ['cat 0.70; dog 0.25', 'cat 0.40; dog 0.30; menu 0.30']
    """
    best = words.topk(min(_MOST_OBJECTS, words.shape[1]), dim=1)
    return [
        "; ".join(f"{vocabulary[i]} {p:.2f}" for p, i in zip(row, places, strict=True) if p >= _OBJECT)
        for row, places in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
