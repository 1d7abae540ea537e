"""Compare the facets of pictures with the folders they are in, from the table of a run, and measure how long they take.

    deepcluster experiment=photos data.root=<a folder for each group> data.labels=folder hydra.run.dir=<run>
    python -m scripts.benchmarks.facets <run> --scenes food people pets scenery --people people --either memes
    python -m scripts.benchmarks.facets seconds --root <folder>

Folders of `--scenes` hold photos without writing, all others what is made or written; those of `--people` hold faces.
The table is printed as Markdown; `--write` puts it between the marks `<!-- facets -->` of docs/photos.md.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from deepcluster_pl.data.images.discovery import find_images
from deepcluster_pl.data.images.extraction import ExtractedImage, ExtractionJob, extract_all
from deepcluster_pl.data.images.faces import Faces
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.data.images.written_words import WrittenWords, words_installed
from deepcluster_pl.evaluation.facets import LETTERS, SURE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "photos.md"
Rows = list[dict[str, str]]


def main() -> int:
    """Print the table, and write it where that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", help="a run folder, or the word seconds")
    parser.add_argument("--root", type=Path, help="seconds: a folder of pictures")
    parser.add_argument("--scenes", nargs="+", default=[], help="folders of photos without writing")
    parser.add_argument("--people", nargs="+", default=[], help="folders of pictures with faces")
    parser.add_argument("--either", nargs="*", default=[], help="folders with and without faces, left out for faces")
    parser.add_argument("--write", action="store_true", help="put the table into docs/photos.md")
    chosen = parser.parse_args()
    if chosen.run == "seconds":
        print(seconds(chosen.root))
        return 0
    with Path(chosen.run, "assignments.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    table = "\n".join(lines(rows, chosen.scenes, chosen.people, chosen.either))
    print(table)
    if chosen.write:
        text = PAGE.read_text(encoding="utf-8")
        mark = re.compile(r"(<!-- facets -->\n).*?(<!-- end -->)", re.DOTALL)
        PAGE.write_text(mark.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text), encoding="utf-8")
    return 0


def lines(rows: Rows, scenes: Sequence[str], people: Sequence[str], either: Sequence[str]) -> list[str]:
    """Return the table: a row for each facet that the run has.

    Args:
        rows: of assignments.csv, with labels.
        scenes: folders of photos without writing.
        people: folders of pictures with faces.
        either: folders that may hold faces, which are left out for this facet.
    """
    table = [
        "| facet | pictures | area under the ROC curve | right where it says yes | right where it says no | unsure |",
        "|---|---|---|---|---|---|",
    ]
    folders = np.array([row["label"] for row in rows])
    is_made, looked_at = ~np.isin(folders, scenes), ~np.isin(folders, either)
    everything = np.ones(len(rows), dtype=bool)
    facets = [
        ("made, not natural", "made", is_made, everything, SURE, 1 - SURE),
        ("with writing", "writing", is_made, everything, SURE, 1 - SURE),
        ("with writing, by its words", "words", is_made, everything, LETTERS, LETTERS - 1),
        ("with faces", "face", np.isin(folders, people), looked_at, 0.9, 0.5),
    ]
    for name, column, truth, some, yes, no in facets:
        if column in rows[0]:
            found = np.array([_number(column, row[column]) for row in rows])
            some = some & np.isfinite(found)
            table.append(f"| {name} | {some.sum()} | {cells(truth[some], found[some], yes, no)} |")
    return table


def _number(column: str, text: str) -> float:
    """Return a probability; of words, the number of letters and digits; nan where a picture could not be read."""
    if column == "words":
        return sum(map(str.isalnum, text))
    return float(text or "nan")


def cells(truth: NDArray[np.bool_], found: NDArray[np.float64], yes: float, no: float) -> str:
    """Return the cells of one facet: area, and how often its answers are right.

    Args:
        truth: of each picture (N,).
        found: probability or number of letters (N,).
        yes: from which it is said to be true.
        no: down from which it is said to be false.
    """
    says, denies = found >= yes, found <= no
    answers = [(truth & says, says), (~truth & denies, denies)]
    counts = " | ".join(f"{right.sum()} of {said.sum()}" for right, said in answers)
    return f"{roc_auc_score(truth, found):.3f} | {counts} | {(~says & ~denies).sum()}"


def seconds(root: Path, n: int = 24) -> str:
    """Return a line: CPU seconds that faces and words take for each of some pictures, decoding included.

    Args:
        root: a folder of pictures.
        n: number of pictures, spread over all.
    """
    files = find_images(root, False, []).files
    names = [file.name for file in files[:: max(1, len(files) // n)]][:n]
    looks: list[Features] = [Faces(), *([WrittenWords()] if words_installed() else [])]
    return ", ".join(f"{look.recipe()['features']} {_per_picture(root, look, names):.3f} s" for look in looks)


def _per_picture(root: Path, features: Features, names: Sequence[str]) -> float:
    """Return CPU seconds of this process for each picture, after a first one."""
    job = ExtractionJob(str(root), features, 0, 150.0)

    def measure(some: Sequence[str]) -> None:
        outcomes = [outcome for _, outcome in extract_all(job, some, 0)]
        features.to_samples(np.concatenate([one.extracted for one in outcomes if isinstance(one, ExtractedImage)]))

    measure(names[:1])
    began = time.process_time()
    measure(names)
    return (time.process_time() - began) / len(names)


if __name__ == "__main__":
    raise SystemExit(main())
