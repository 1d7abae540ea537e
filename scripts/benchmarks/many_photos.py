"""Measure the default command on a large photo library, and again with a hundredth more pictures.

    python -m scripts.benchmarks.many_photos --root <folder> [--pictures 3000]

Crops of the pictures below the folder, in other light and 1,024 pixels long, make the library, in a temporary folder.
The table is printed as Markdown; `--write` puts it between the marks `<!-- many -->` of docs/photos.md.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from deepcluster_pl.data.images.discovery import find_images

PAGE = Path(__file__).resolve().parents[2] / "docs" / "photos.md"


def main() -> int:
    """Print the table, and write it where that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="a folder of pictures")
    parser.add_argument("--pictures", type=int, default=10_000, help="number of pictures that are made")
    parser.add_argument("--write", action="store_true", help="put the table into docs/photos.md")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        table = "\n".join(many(chosen.root, chosen.pictures, Path(scratch)))
    print(table)
    if chosen.write:
        text = PAGE.read_text(encoding="utf-8")
        mark = re.compile(r"(<!-- many -->\n).*?(<!-- end -->)", re.DOTALL)
        PAGE.write_text(mark.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text), encoding="utf-8")
    return 0


def many(root: Path, n: int, scratch: Path) -> list[str]:
    """Return the table: a line for each of the two runs.

    Args:
        root: a folder of pictures; crops of them in other light, 1,024 pixels long, make the library.
        n: number of pictures.
        scratch: an empty folder.
    """
    files = [root / file.name for file in find_images(root, False).files]
    library = scratch / "library"
    library.mkdir()
    lines = ["| run | pictures | read | by the clock | CPU |", "|---|---|---|---|---|"]
    for name, numbers in (("first", range(n)), ("second", range(n, n + n // 100))):
        for i in numbers:
            _variation(files[i % len(files)], i).save(library / f"{i}.jpg", quality=85)
        typed = ["experiment=photos", f"data.root={library}", f"cache_dir={scratch / 'cache'}",
                 "trainer.accelerator=cpu", f"hydra.run.dir={scratch / name}"]  # fmt: skip
        began, used = time.monotonic(), _cpu_seconds()
        command = [sys.executable, "-m", "deepcluster_pl", *typed]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        passed, used = time.monotonic() - began, _cpu_seconds() - used
        read = re.search(r", ([\d,]+) read at", printed)
        cells = f"{numbers.stop:,} | {read[1] if read else 0} | {passed / 60:.1f} min | {used / 60:.1f} min"
        lines.append(f"| {name} | {cells} |")
        print(printed, lines[-1], sep="\n", file=sys.stderr, flush=True)
    return lines


def _variation(file: Path, seed: int) -> Image.Image:
    """Return a crop of a picture in other light, mirrored every other time, 1,024 pixels long."""
    generator = np.random.default_rng(seed)
    image = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
    width, height = (max(16, round(side * generator.uniform(0.7, 1.0))) for side in image.size)
    left, top = (int(generator.integers(a - b + 1)) for a, b in zip(image.size, (width, height), strict=True))
    image = image.crop((left, top, left + width, top + height))
    image = ImageEnhance.Brightness(image).enhance(generator.uniform(0.8, 1.2))
    image = ImageOps.mirror(image) if generator.random() < 0.5 else image
    scale = 1024 / max(image.size)
    return image.resize((max(16, round(width * scale)), max(16, round(height * scale))), Image.Resampling.BICUBIC)


def _cpu_seconds() -> float:
    """Return the CPU seconds of all processes that this one started and that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
