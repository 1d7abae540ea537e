"""Measure the reading of pictures, the choice of the recipe without labels, and the scores on a labeled library.

    python -m scripts.benchmarks.photos speed                    on pictures that the script makes itself
    python -m scripts.benchmarks.photos choose --root <folder>   no label is read
    python -m scripts.benchmarks.photos copies --root <folder>   which changed copies are found as near-duplicates
    python -m scripts.benchmarks.photos number --root <folder>   n_clusters=auto on all pictures and on halves of them
    python -m scripts.benchmarks.photos score --root <folder> --clusters 9 [--only 3]

`--root` of `score` holds a folder for each group. Results are printed as Markdown; `--write` writes them into
docs/photos.md: the rows of `score` beside the others that are there, any other table whole.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFont
from sklearn.metrics import adjusted_rand_score
from torch import Tensor, cdist, from_numpy

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import to_plain
from deepcluster_pl.config.quoting import quote_paths
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.images.copies import CopyGroup, find_copies
from deepcluster_pl.data.images.decoding import decode
from deepcluster_pl.data.images.descriptors import BLOCKS, SMALLEST_SIDE
from deepcluster_pl.data.images.discovery import find_images
from deepcluster_pl.data.images.extraction import ExtractedImage, ExtractionJob, extract_all
from deepcluster_pl.data.images.features import Descriptors, Features, Thumbnails
from deepcluster_pl.data.images.objects import OBJECTS
from deepcluster_pl.data.images.photo_features import PhotoFeatures
from deepcluster_pl.data.images.thumbnails import make_thumbnail
from deepcluster_pl.nets.base import Autoencoder

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "photos.md"
SEEDS = (0, 1, 2, 3, 4)
RECIPES = {
    "k-means on colors and gradients": "data=images method=kmeans data.features.blocks=[palette,gradients] "
    "data.copies=0",
    "k-means on all numbers": "data=images method=kmeans data.copies=0",
    "… on blocks' components, not whitened": "data=images method=photos/kmeans net.whitening=0.0 data.copies=0",
    "… half whitened": "data=images method=photos/kmeans data.copies=0",
    "… wholly whitened": "data=images method=photos/kmeans net.whitening=1.0 data.copies=0",
    "a mixture on them": "data=images method=photos/gmm data.copies=0",
    "UMAP of them and a mixture": "data=images method=n2d net=pca pretrain=none data.copies=0",
    "idec, autoencoder of all numbers": "data=images method=idec data.copies=0",
    "dec, from the components": "data=images method=dec net=pca net.hidden=[256,256] pretrain=none data.copies=0",
    "scan without copies": "data=images method=photos/scan data.copies=0",
    "scan, evenness weighing 5": "data=images method=photos/scan method.entropy_weight=5.0",
    "scan with copies": "data=images method=photos/scan",
    "k-means on a convolutional code of pixels": "method=ae_kmeans data=images_pixels net=conv_autoencoder "
    "net.latent_dim=20 pretrain.max_epochs=100 data.copies=0",
    "**the default without the extra**": "data=images",
    "objects: k-means on components": "data=photos method=photos/kmeans data.copies=0",
    "objects: k-means by direction": "data=photos method=photos/kmeans net=photos data.copies=0",
    "objects: a mixture": "data=photos method=photos/gmm data.copies=0",
    "objects: graph of neighbors": "data=photos method=photos/graph data.copies=0",
    "**the default with the extra**": "data=photos data.copies=0",
    "a random half with the extra, alone": "data=photos data.copies=0 data.holdout=0.5",
}
_OTHER_HALF = "… and the half that was not fitted"
_WORDS = (
    "invoice total meeting tomorrow please call back when you can the report was sent photos from holiday hello where "
    "are we going tonight dinner at eight order shipped payment received thanks for your help weather sunny train late"
)
WHITENINGS = (0.0, 0.25, 0.5, 0.75, 1.0)


def main() -> int:
    """Run one of the five measurements."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["speed", "choose", "copies", "number", "score"])
    parser.add_argument("--root", type=Path, help="a folder of pictures")
    parser.add_argument("--clusters", type=int, default=9)
    parser.add_argument("--only", type=int, nargs="+", help="numbers of recipes, from 0")
    parser.add_argument("--cache", type=Path, help="folder that stores the features; a temporary one otherwise")
    parser.add_argument("--every", type=int, default=5, help="copies: take every n-th picture")
    parser.add_argument("--screenshots", type=int, default=300, help="copies: number of made-up screenshots")
    parser.add_argument("--write", action="store_true", help="put the table into docs/photos.md")
    chosen = parser.parse_args()
    if chosen.what != "speed" and chosen.root is None:
        parser.error(f"{chosen.what} needs --root")
    with tempfile.TemporaryDirectory() as scratch:
        if chosen.what == "speed":
            lines = speed(Path(scratch))
        elif chosen.what == "copies":
            lines = copies(chosen.root, chosen.every, chosen.screenshots)
        elif chosen.what == "number":
            lines = number(chosen.root, chosen.cache or Path(scratch))
        elif chosen.what == "choose":
            lines = choose(chosen.root, chosen.cache or Path(scratch))
        else:
            names = list(RECIPES) if chosen.only is None else [list(RECIPES)[i] for i in chosen.only]
            lines = score(names, chosen.root, chosen.clusters, Path(scratch), chosen.cache or Path(scratch))
    table = "\n".join(lines)
    print(table)
    if chosen.write:
        text = PAGE.read_text(encoding="utf-8")
        mark = re.compile(rf"(<!-- {chosen.what} -->\n)(.*?)(<!-- end -->)", re.DOTALL)
        if chosen.what == "score" and (there := mark.search(text)):
            table = "\n".join(merged(there[2].splitlines(), lines))
        PAGE.write_text(mark.sub(lambda found: f"{found[1]}{table}\n{found[3]}", text), encoding="utf-8")
    return 0


def merged(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return the table of scores with new rows in the place of old ones of the same recipe, in the order of recipes.

    Args:
        old: lines of the table, its two of the head first.
        new: likewise, with some of the rows.
    """
    rows = {line.split(" | ")[0].strip("| "): line for line in (*old[2:], *new[2:])}
    return [*new[:2], *(rows[name] for name in (*RECIPES, _OTHER_HALF) if name in rows)]


def speed(scratch: Path) -> list[str]:
    """Measure pictures a second on one core, for three kinds of pictures and four kinds of features."""
    sizes = {"256 x 192, JPEG": (256, 192, "jpg", 100), "256 x 192, PNG": (256, 192, "png", 100),
             "4000 x 3000, JPEG": (4000, 3000, "jpg", 12)}  # fmt: skip
    objects = PhotoFeatures([OBJECTS, *BLOCKS], 192, "cpu")
    made: dict[str, tuple[Features, int]] = {
        "thumbnails of 256": (Thumbnails(256), 0),
        "descriptors": (Descriptors(list(BLOCKS), 192), 0),
        "descriptors, of 6 copies too": (Descriptors(list(BLOCKS), 192), 6),
        "objects and descriptors": (objects, 0),
    }
    lines = [f"| pictures | {' | '.join(made)} |", f"|---|{'---|' * len(made)}"]
    for name, (width, height, suffix, n) in sizes.items():
        folder = scratch / name
        folder.mkdir()
        for i in range(n):
            coarse = np.random.default_rng(i).integers(256, size=(height // 8, width // 8, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{i}.{suffix}")
        names = [path.name for path in folder.iterdir()]
        rates = [f"{_per_second(ExtractionJob(str(folder), *job, 150.0), names):.0f}/s" for job in made.values()]
        lines.append(f"| {name} | {' | '.join(rates)} |")
    return lines


def _per_second(job: ExtractionJob, names: list[str]) -> float:
    def measured(some: list[str]) -> None:
        outcomes = [outcome for _, outcome in extract_all(job, some, 0) if isinstance(outcome, ExtractedImage)]
        assert len(outcomes) == len(some)
        job.features.to_samples(np.concatenate([outcome.extracted for outcome in outcomes]))

    measured(names[:3])
    some = names[:100] if job.n_copies == 0 else names[: max(3, min(25, len(names) // 4))]
    began = time.process_time()  # of this process, whatever else the machine does
    measured(some)
    return len(some) / (time.process_time() - began)


def choose(root: Path, cache: Path) -> list[str]:
    """Measure for each whitening how many distorted copies have their own picture as the nearest, without labels."""
    lines = ["| `net.whitening=` | copies whose nearest picture is their own |", "|---|---|"]
    for whitening in WHITENINGS:
        typed = [
            "experiment=photos",
            "data=images",
            "method=photos/scan",
            f"data.root={root}",
            f"net.whitening={whitening}",
            f"cache_dir={cache}",
        ]
        cfg = compose_checked(quote_paths(typed)).cfg
        assert cfg is not None
        data: ClusteringData = instantiate(cfg.data)
        data.setup()
        node = {**to_plain(cfg.net), "hidden": [], "latent_dim": 40}
        net: Autoencoder = instantiate(node, input_shape=data.input_shape)
        net.measure(data)
        shares = [_found(net, data, copy) for copy in range(1, 1 + data.part("fit").n_copies)]
        lines.append(f"| {whitening} | {statistics.mean(shares):.3f} |")
    return lines


def number(root: Path, cache: Path) -> list[str]:
    """Estimate the number of groups of all pictures and of random halves of them, without labels."""
    cfg = compose_checked(
        quote_paths(
            ["experiment=photos", "data=photos", "method=photos/graph", f"data.root={root}", f"cache_dir={cache}"]
        )
    ).cfg
    assert cfg is not None
    data: ClusteringData = instantiate(cfg.data)
    data.setup()
    net: Autoencoder = instantiate(to_plain(cfg.net), input_shape=data.input_shape)
    net.measure(data)
    embeddings = net.encode(net.prepare(from_numpy(data.part("fit").load_all())))
    halves = [np.random.default_rng(seed).permutation(len(embeddings))[: len(embeddings) // 2] for seed in SEEDS]
    lines = ["| pictures | numbers of groups, seeds 0 to 4 |", "|---|---|"]
    for name, parts in (("all", [np.arange(len(embeddings))] * len(SEEDS)), ("a random half", halves)):
        estimates = [
            instantiate(cfg.choose, random_state=seed).find(embeddings[rows])
            for seed, rows in zip(SEEDS, parts, strict=True)
        ]
        lines.append(f"| {name}, {len(parts[0])} | {', '.join(str(found.n_clusters) for found in estimates)} |")
    return lines


def copies(root: Path, every: int, screenshots: int) -> list[str]:
    """Count changed copies of every n-th picture that are found, and pictures that are taken for copies."""
    found = find_images(root, False).files
    originals = [decode(root / file.name, 512, SMALLEST_SIDE, 150.0) for file in found]
    scaled = [_at_own_size(picture.rgb, max(picture.metadata.width, picture.metadata.height)) for picture in originals]
    some = scaled[::every]
    names = ("half the size", "JPEG quality 40", "4 % brighter", "3 % cut off each edge", "8 % cut off each edge",
             "5 % cut off the top")  # fmt: skip
    changed = dict.fromkeys(names, 0)
    for rgb in some:
        image = Image.fromarray(rgb)
        width, height = image.size
        saved = io.BytesIO()
        image.save(saved, "JPEG", quality=40)
        cuts = ((0.03, 0.03, 0.97, 0.97), (0.08, 0.08, 0.92, 0.92), (0.0, 0.05, 1.0, 1.0))
        boxes = [(round(a * width), round(b * height), round(c * width), round(d * height)) for a, b, c, d in cuts]
        made = (
            image.resize((max(16, width // 2), max(16, height // 2))), Image.open(saved),
            ImageEnhance.Brightness(image).enhance(1.04), *(image.crop(box) for box in boxes),
        )  # fmt: skip
        for name, copy in zip(changed, made, strict=True):
            changed[name] += any(group.is_certain for group in _copies_among([rgb, np.asarray(copy.convert("RGB"))]))
    lines = ["| copy | found |", "|---|---|", *(f"| {name} | {n} of {len(some)} |" for name, n in changed.items())]
    n_taken = sum(len(group.members) for group in _copies_among(scaled))
    lines.append(f"| originals taken for copies | {n_taken} of {len(scaled)} |")
    screens = [np.asarray(_screenshot(seed)) for seed in range(screenshots)]
    n_taken = sum(len(group.members) for group in _copies_among(screens))
    return [*lines, f"| made-up screenshots of other text taken for copies | {n_taken} of {len(screens)} |"]


def _copies_among(pictures: list[NDArray[np.uint8]]) -> list[CopyGroup]:
    def load(rows: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
        return {i: np.asarray(Image.fromarray(pictures[i]).convert("L")) for i in rows}

    sizes = [(picture.shape[1], picture.shape[0]) for picture in pictures]
    return find_copies([make_thumbnail(picture) for picture in pictures], sizes, load)


def _at_own_size(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a picture that decoding made larger at its own size again."""
    scale = min(1.0, side / max(rgb.shape))
    size = max(16, round(rgb.shape[1] * scale)), max(16, round(rgb.shape[0] * scale))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


def _screenshot(seed: int) -> Image.Image:
    """Make a screenshot of a messenger: one layout, and words of its own."""
    generator = np.random.default_rng(seed)
    image = Image.new("RGB", (360, 640), (250, 250, 250))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(16)
    draw.rectangle((0, 0, 360, 56), fill=(40, 110, 190))
    draw.text((14, 16), "Messages", fill="white", font=ImageFont.load_default(20))
    for number, top in enumerate(range(72, 580, 44)):
        left, color = ((12, (225, 235, 245)), (110, (210, 245, 210)))[number % 2]
        draw.rounded_rectangle((left, top, left + 238, top + 36), 10, fill=color)
        draw.text((left + 8, top + 8), " ".join(generator.choice(_WORDS.split(), 4)), fill=(20, 20, 20), font=font)
    return image


def _found(net: Autoencoder, data: ClusteringData, copy: int) -> float:
    rows = np.arange(len(data.part("fit")))
    codes: list[Tensor] = []
    for which in (0, copy):
        x = from_numpy(data.part("fit").take_copies(rows, np.full(len(rows), which)))
        codes.append(net.encode(net.prepare(x)))
    return float((cdist(codes[1], codes[0]).argmin(dim=1).numpy() == rows).mean())


def score(names: list[str], root: Path, clusters: int, scratch: Path, cache: Path) -> list[str]:
    """Score each recipe over the seeds, and on a line of its own the half of the pictures that was not fitted, if any.

    The agreement is the mean adjusted Rand index between seeds, of all pictures; it reads no label.

    Args:
        names: of the recipes.
        root: a folder of pictures, with a folder for each group.
        clusters: number of groups.
        scratch: an empty folder.
        cache: folder that stores the features.

    Returns:
        A line for each recipe, below the head of the table.
    """
    lines = ["| recipe | ACC | NMI | ARI | agreement of seeds | seconds a seed |", "|---|---|---|---|---|---|"]
    for place, name in enumerate(names):
        found, partitions, seconds = [], [], []
        for seed in SEEDS:
            folder = scratch / f"{place}-{seed}"
            typed = [*RECIPES[name].split(), "experiment=photos", f"data.root={root}", "data.labels=folder",
                     f"n_clusters={clusters}", f"seed={seed}", f"cache_dir={cache}", "trainer.accelerator=cpu",
                     "baselines=none", f"hydra.run.dir={folder}"]  # fmt: skip
            began = time.monotonic()
            subprocess.run([sys.executable, "-m", "deepcluster_pl", *typed], check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.monotonic() - began)
            scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
            found.append([scores[part] for part in ("fit", "holdout") if scores[part]])
            with (folder / "assignments.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
                rows = {row["id"]: row["cluster"] for row in csv.DictReader(file)}
            partitions.append([rows[name] for name in sorted(rows)])
        pairs = [adjusted_rand_score(a, b) for i, a in enumerate(partitions) for b in partitions[:i]]
        for title, *blocks in zip((name, _OTHER_HALF), *found, strict=False):
            cells = " | ".join(_mean([block[key] for block in blocks]) for key in ("acc", "nmi", "ari"))
            lines.append(f"| {title} | {cells} | {statistics.mean(pairs):.2f} | {statistics.median(seconds):.0f} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return lines


def _mean(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f} – {max(values):.3f})"


if __name__ == "__main__":
    sys.exit(main())
