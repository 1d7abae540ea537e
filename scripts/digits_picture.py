"""The README's picture from a run's folder: the map of embeddings beside the most central members.

python scripts/digits_picture.py outputs/digits/dec/<time> docs/images/digits.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image


def main(run: Path, out: Path) -> None:
    """Put figures/map.png and figures/members.png side by side, equally high, with few enough colours to be small."""
    pictures = [Image.open(run / "figures" / name).convert("RGB") for name in ("map.png", "members.png")]
    height = min(picture.height for picture in pictures)
    resized = [picture.resize((round(picture.width * height / picture.height), height)) for picture in pictures]
    joined = Image.new("RGB", (sum(picture.width for picture in resized), height), "white")
    left = 0
    for picture in resized:
        joined.paste(picture, (left, 0))
        left += picture.width
    out.parent.mkdir(parents=True, exist_ok=True)
    joined.quantize(256).save(out, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
