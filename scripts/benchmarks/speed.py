"""Measure this project's speed beside a loop written by hand, a stock loader, ClustPy and Keras, and write the page.

    python -m scripts.benchmarks.speed [--peers <folder>] [--rounds 7] [--only step blocks parts startup whole]

Everything that is compared runs in turn in every round, so that other load of the machine slows all of it. Figures are
ratios within a round: their median and their range. `--peers` names the folder of the peers' environments, which are
made once (about 3 GB are downloaded). The tables are written into docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import torch

from deepcluster_pl.utils.provenance import machine, versions
from scripts.benchmarks.timing.blocks import blocks
from scripts.benchmarks.timing.parts import parts
from scripts.benchmarks.timing.peers import PACKAGES, Peer
from scripts.benchmarks.timing.rounds import Row
from scripts.benchmarks.timing.startup import startup
from scripts.benchmarks.timing.steps import ROWS, steps
from scripts.benchmarks.timing.whole import whole

PARTS = ["step", "blocks", "parts", "startup", "whole"]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def main() -> int:
    """Measure the chosen parts, and write their tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments; without it, no peer is measured")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    chosen = parser.parse_args()
    torch.set_flush_denormal(True)  # as a run does
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "x.npy"
        np.save(data, np.random.default_rng(0).integers(256, size=(ROWS, 28, 28), dtype=np.uint8))
        if "step" in chosen.only:
            peers = {name: Peer(name, chosen.peers.absolute()) for name in PACKAGES} if chosen.peers else {}
            write("step", steps(data, peers, chosen.rounds), {name: peer.versions for name, peer in peers.items()})
            for peer in peers.values():
                peer.close()
        if "blocks" in chosen.only:
            torch.set_num_threads(1)
            write("blocks", blocks(data, chosen.rounds), {})
        if "parts" in chosen.only:
            write("parts", parts(chosen.rounds), {})
        if "startup" in chosen.only:
            write("startup", startup(chosen.rounds), {})
        if "whole" in chosen.only:
            write("whole", whole(data, chosen.rounds), {})
    return 0


def write(part: str, rows: list[Row], peers: dict[str, dict[str, str]]) -> None:
    """Put one table between its marks."""
    begin, end = f"<!-- {part} -->", f"<!-- {part} end -->"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    here = machine(torch.device("cpu"), "", 1)
    packages = ", ".join(f"{name} {value}" for all_ in (versions(), *peers.values()) for name, value in all_.items())
    where = f"{here['processor']}, {here['vector_instructions']}, {here['threads']} threads"
    lines = [begin, f"{where}; {packages}; rounds: {len(rows[0][1])}.", ""]
    lines += ["| | median | least – most | aim |", "|---|---|---|---|"]
    lines += [f"| {name} | {median(r):.3g} | {min(r):.3g} – {max(r):.3g} | {aim} |" for name, r, aim in rows]
    PAGE.write_text(before + "\n".join([*lines, end]) + after, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
