"""Join the figures of a run into one picture for a document: figures of a row get one height, rows one width.

    python -m scripts.docs.picture outputs/digits/dec/<time> docs/images/digits.png map,members
    python -m scripts.docs.picture <a run> docs/images/article_dec.png map,confusion,curves reconstructions

The run draws its figures itself; this script only joins them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image

_GAP = 12


def main() -> int:
    """Write the picture; return exit code 1 if the run has no such figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="run folder")
    parser.add_argument("out", type=Path, help="the .png to write")
    parser.add_argument("rows", nargs="+", help="names of figures, separated by commas: map,members")
    parser.add_argument("--width", type=int, default=1200, help="pixels")
    chosen = parser.parse_args()
    rows = []
    for names in chosen.rows:
        files = [chosen.run / "figures" / f"{name}.png" for name in names.split(",")]
        absent = [str(file) for file in files if not file.is_file()]
        if absent:
            print(f"{absent[0]}: no such figure", file=sys.stderr)
            return 1
        rows.append(beside([Image.open(file).convert("RGB") for file in files]))
    joined = below(rows, chosen.width)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    few = joined.quantize(256, method=Image.Quantize.FASTOCTREE)  # small, and rare colors and grays survive
    few.save(chosen.out, optimize=True)
    return 0


def beside(pictures: list[Image.Image]) -> Image.Image:
    """Join pictures side by side, as high as the lowest."""
    height = min(picture.height for picture in pictures)
    scaled = [picture.resize((round(picture.width * height / picture.height), height)) for picture in pictures]
    joined = Image.new("RGB", (sum(p.width for p in scaled) + _GAP * (len(scaled) - 1), height), "white")
    left = 0
    for picture in scaled:
        joined.paste(picture, (left, 0))
        left += picture.width + _GAP
    return joined


def below(rows: list[Image.Image], width: int) -> Image.Image:
    """Join rows one below the other, all `width` pixels wide."""
    scaled = [row.resize((width, round(row.height * width / row.width))) for row in rows]
    joined = Image.new("RGB", (width, sum(row.height for row in scaled) + _GAP * (len(scaled) - 1)), "white")
    top = 0
    for row in scaled:
        joined.paste(row, (0, top))
        top += row.height + _GAP
    return joined


if __name__ == "__main__":
    sys.exit(main())
