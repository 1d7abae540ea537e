"""Run one recipe in one process, in two, and on two machines, and write how much the results differ.

    python -m scripts.checks.processes [--seeds 0 1 2] [--hosts] [override ...]

The table is written into docs/scaling.md. `--hosts` adds two network namespaces with an address each. torchrun starts
one process in each of them, and the processes cannot tell them from two machines. This needs Linux and root.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from scripts.docs.pages import write_between

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "scaling.md"
HOSTS = ("10.77.0.1", "10.77.0.2")
TWO = ["trainer.strategy=ddp", "trainer.accelerator=cpu"]


def main() -> int:
    """Run, compare, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--hosts", action="store_true", help="two network namespaces too (Linux, root)")
    parser.add_argument("overrides", nargs="*", help="of the recipe; the default one if there are none")
    chosen = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in chosen.seeds:
            recipe = [*chosen.overrides, f"seed={seed}"]
            one = Path(scratch) / f"one{seed}"
            start([sys.executable, "-m", "deepcluster_pl"], one, recipe, "trainer.accelerator=cpu")
            rows.append(row(seed, "one process", one, one))
            two = Path(scratch) / f"two{seed}"
            start([sys.executable, "-m", "deepcluster_pl"], two, recipe, *TWO, "trainer.devices=2")
            rows.append(row(seed, "two processes", two, one))
            if chosen.hosts:
                far = Path(scratch) / f"far{seed}"
                with hosts():
                    on_hosts(far, recipe)
                rows.append(row(seed, "two machines", far, one))
        what = compared(one)[1]
    write(rows, chosen.overrides, what)
    return 0


def start(command: list[str], folder: Path, recipe: list[str], *more: str) -> None:
    """Carry out a run; its errors are printed on the console."""
    subprocess.run(
        [*command, *recipe, *more, f"hydra.run.dir={folder}"], cwd=folder.parent, env=environment(), check=True
    )


def environment() -> dict[str, str]:
    """Return the environment with this checkout first on the path, and one thread a process, since cores are shared."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@contextmanager
def hosts() -> Iterator[None]:
    """Make two network namespaces that reach each other and nothing else, and remove them at the end."""
    ip = ["ip", "netns"]
    steps = [
        [*ip, "add", "dc1"], [*ip, "add", "dc2"],
        ["ip", "link", "add", "dcv1", "netns", "dc1", "type", "veth", "peer", "name", "dcv2", "netns", "dc2"],
    ]  # fmt: skip
    for number, address in enumerate(HOSTS, start=1):
        inside = [*ip, "exec", f"dc{number}", "ip"]
        steps += [[*inside, "addr", "add", f"{address}/24", "dev", f"dcv{number}"]]
        steps += [[*inside, "link", "set", name, "up"] for name in ("lo", f"dcv{number}")]
    try:
        for step in steps:
            subprocess.run(step, check=True)
        yield
    finally:
        for number in (1, 2):
            subprocess.run([*ip, "del", f"dc{number}"], check=False)


def on_hosts(folder: Path, recipe: list[str]) -> None:
    """Carry out a run with one process in each namespace, started by torchrun."""
    running = []
    for place in (1, 0):
        command = ["ip", "netns", "exec", f"dc{place + 1}", sys.executable, "-m", "torch.distributed.run"]
        command += ["--nnodes=2", f"--node-rank={place}", "--nproc-per-node=1"]
        command += [f"--master-addr={HOSTS[0]}", "--master-port=29511", "-m", "deepcluster_pl", *recipe, *TWO]
        command += ["trainer.num_nodes=2", "trainer.devices=1", f"hydra.run.dir={folder}"]
        environ = environment() | {"GLOO_SOCKET_IFNAME": f"dcv{place + 1}"}
        running.append(subprocess.Popen(command, cwd=folder.parent, env=environ))
    codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit(f"two machines: exit codes {codes}")


def row(seed: int, how: str, folder: Path, one: Path) -> str:
    """Return a line of the table: scores, and the difference from the run of one process."""
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    fit = scores["fit"]
    mine, its = labels(folder), labels(one)
    differ = sum(a != b for a, b in zip(mine, its, strict=True))
    found, expected = compared(folder)[0], compared(one)[0]
    apart = max(float((found[name] - expected[name]).abs().max()) for name in expected)
    return f"| {seed} | {how} | {fit['acc']:.4f} | {fit['nmi']:.4f} | {apart:.1e} | {differ} of {len(mine)} |"


def labels(folder: Path) -> list[str]:
    """Return the cluster of every sample."""
    with (folder / "assignments.csv").open(newline="", encoding="utf-8") as file:
        return [line["cluster"] for line in csv.DictReader(file)]


def compared(folder: Path) -> tuple[dict[str, torch.Tensor], str]:
    """Return tensors to compare and their name: the last p (N, K) of a method that has one, else the final weights."""
    content = torch.load(folder / "checkpoints" / "final.ckpt", weights_only=True)
    targets = content["callbacks"].get("TargetRefresh", {}).get("targets")
    if targets is not None and targets.is_floating_point():
        return {"p": targets.double()}, "p"
    return {name: value.double() for name, value in content["state_dict"].items()}, "the weights"


def write(rows: list[str], overrides: list[str], what: str) -> None:
    """Write the table into the page.

    Args:
        rows: lines of the table.
        overrides: of the recipe.
        what: what the largest difference is of.
    """
    recipe = " ".join(["python -m deepcluster_pl", *overrides])
    lines = [
        f"`{recipe}`, float32, PyTorch {torch.__version__.split('+')[0]}, CPU, one thread a process:", "",
        f"| seed | where | ACC | NMI | largest difference of {what} | other cluster |",
        "|---|---|---|---|---|---|", *rows,
    ]  # fmt: skip
    write_between(PAGE, "processes", lines)


if __name__ == "__main__":
    sys.exit(main())
