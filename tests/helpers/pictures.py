"""Pictures that tests make themselves: smooth scenes, sharp pages, and files that are broken in a chosen way."""

from __future__ import annotations

import numpy as np
from PIL import Image


def scene(seed: int, width: int = 80, height: int = 60) -> Image.Image:
    """Smooth colors, as of a photo."""
    coarse = np.random.default_rng(seed).integers(256, size=(4, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def page(seed: int, width: int = 60, height: int = 80) -> Image.Image:
    """Dark marks in lines on white, as of writing."""
    x = np.full((height, width, 3), 250, dtype=np.uint8)
    generator = np.random.default_rng(seed)
    for top in range(6, height - 6, 9):
        for left in range(5, width - 8, 6):
            if generator.random() < 0.8:
                x[top : top + 5, left : left + int(generator.integers(2, 5))] = 20
    return Image.fromarray(x)


def library(folder, n: int = 12) -> list[str]:
    """Scenes and pages in folders of their own, and their names."""
    names = []
    for i in range(n):
        kind, make = ("pages", page) if i % 2 else ("scenes", scene)
        (folder / kind).mkdir(parents=True, exist_ok=True)
        names.append(f"{kind}/{i}.png")
        make(i).save(folder / names[-1])
    return names
