"""Check on a GPU: captured steps beside eager ones, seconds and scores of runs, exact resuming.

    scripts/checks/gpu.sh <folder with MNIST/raw> <results.jsonl> [--accelerator gpu] [--minutes 6] [--short]
                          [--checks equal step] [--keep <folder>]

Each check writes one line of JSON as soon as it ends, so that no result is lost when the time of the machine is over.
The most telling checks come first. A failed check has its reason in its line, and the exit code is then 1. A check
without enough time is marked skipped. Ten seeds take longer: `--checks seeds --minutes 9`.
`--keep <folder>` leaves the run folders there. `--short --accelerator cpu` runs everything on a small scale, to test
the checks themselves.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from scripts.checks.gpu_settings import AT_ONCE, BEST, SMALL, SMALL_BEST, WAYS

ROOT = Path(__file__).resolve().parents[2]
Check = Callable[["Place"], dict[str, Any]]


@dataclass(frozen=True)
class Place:
    """Folders, accelerator and time limit of the checks.

    Attributes:
        data: folder with MNIST/raw.
        scratch: parent of the run folders.
        accelerator: gpu, or cpu to test the checks themselves.
        short: run a tenth of a minute instead of the real lengths.
        ends_at: end of the time, by `time.monotonic`; a run is stopped then.
    """

    data: Path
    scratch: Path
    accelerator: str
    short: bool
    ends_at: float

    def command(self, folder: str, *overrides: str) -> list[str]:
        """Return the command line of one run."""
        small = (*(SMALL_BEST if "student=wide" in overrides else SMALL), *overrides) if self.short else overrides
        return [
            sys.executable, "-m", "deepcluster_pl", f"data.root={self.data}", f"trainer.accelerator={self.accelerator}",
            f"cache_dir={self.scratch / 'cache'}", f"hydra.run.dir={self.scratch / folder}", *small,
        ]  # fmt: skip

    def run(self, folder: str, *overrides: str) -> dict[str, Any]:
        """Carry out a run, and return its scores.json."""
        left = self.ends_at - time.monotonic()
        typed = self.command(folder, *overrides)
        done = subprocess.run(typed, env=environment(), capture_output=True, text=True, timeout=left, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(overrides)}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
        scores: dict[str, Any] = json.loads((self.scratch / folder / "scores.json").read_text(encoding="utf-8"))
        # A step that cannot be captured is said in a line
        said = [line for line in done.stdout.splitlines() if line.startswith("trainer.graph=")]
        return scores | {"remark": said[0] if said else None}

    def weights(self, folder: str) -> dict[str, torch.Tensor]:
        """Return the weights at the end of the fit."""
        path = self.scratch / folder / "checkpoints" / "final.ckpt"
        state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        return state

    def labels(self, folder: str) -> list[str]:
        """Return the cluster of every sample."""
        with (self.scratch / folder / "assignments.csv").open(newline="", encoding="utf-8") as file:
            return [row["cluster"] for row in csv.DictReader(file)]


def environment() -> dict[str, str]:
    """Return the environment with this checkout first on the path."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}


def equal(place: Place) -> dict[str, Any]:
    """Compare the weights after captured steps with those after eager ones, on 10,000 digits."""
    lines = {}
    short = ("baselines=none", "pretrain.max_epochs=2", "fit.max_steps=200", "callbacks.target_refresh.tol=0")
    for method in ("dec", "da/scan"):
        recipe, name = ("experiment=mnist_10k", f"method={method}", *short), method.replace("/", "_")
        runs = {graph: place.run(f"{name}_{graph}", *recipe, f"trainer.graph={graph}") for graph in ("false", "true")}
        eager, captured = (place.weights(f"{name}_{graph}") for graph in runs)
        apart = max(float((eager[key].double() - captured[key].double()).abs().max()) for key in eager)
        same = place.labels(f"{name}_false") == place.labels(f"{name}_true")
        lines[method] = {"largest_difference": apart, "same_labels": same, "remark": runs["true"]["remark"]}
    return lines


def article(place: Place) -> dict[str, Any]:
    """Run the tutorial's DEC with 500 epochs of pretraining; it took 183.6 s there, and the goal is 10."""
    recipe = ("experiment=article", "method=article/dec", "baselines=none")
    return {name: essentials(place.run(f"article_{name}", *recipe, *ways)) for name, ways in WAYS.items()}


def headline(place: Place) -> dict[str, Any]:
    """Run the best recipe on all 70,000 digits, from the data to the report; the goal is 60 s."""
    began = time.monotonic()
    scores = place.run("headline", *BEST)
    return essentials(scores) | {"whole_s": round(time.monotonic() - began, 1)}


def scan(place: Place) -> dict[str, Any]:
    """Run the best recipe with an autoencoder in the same way; the goal is 60 s."""
    began = time.monotonic()
    scores = place.run("scan", "experiment=mnist", "method=da/scan", *WAYS["tf32"])
    return essentials(scores) | {"whole_s": round(time.monotonic() - began, 1)}


def seeds(place: Place) -> dict[str, Any]:
    """Run ten seeds of the headline, several at once on the one GPU; the goal is 480 s for all of them."""
    lines: dict[str, Any] = {}
    began = time.monotonic()

    def one(seed: int) -> None:
        scores = place.run(f"seed_{seed}", *BEST, f"seed={seed}")
        lines[str(seed)] = {"nmi": scores["fit"]["nmi"], "acc": scores["fit"]["acc"]}

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(1 if place.short else 10)))
    return lines | {"whole_s": round(time.monotonic() - began, 1)}


def starts(place: Place) -> dict[str, Any]:
    """Compare k-means, mixtures and communities on the GPU with scikit-learn on the CPU; inertia is within 1 %."""
    from scripts.checks.gpu_starts import time_starts  # which imports the whole package

    lines = time_starts(place.data, place.accelerator, place.short)
    inertia = lines["kmeans"]
    require(inertia["gpu"] <= 1.01 * inertia["cpu"], f"inertia {inertia['gpu']} beside {inertia['cpu']}")
    return lines


def precisions(place: Place) -> dict[str, Any]:
    """Run DEC on 10,000 digits in each precision."""
    recipe = "experiment=mnist_10k"
    return {p: essentials(place.run(p, recipe, f"trainer.precision={p}")) for p in ("32-true", "bf16-mixed")}


def modules(place: Place) -> dict[str, Any]:
    """Run the tests that compare 200 captured steps of every module with eager ones; the goal is 1e-6."""
    typed = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/training/test_graphed_step.py"]
    chosen = ["-k", "on_a_gpu"]
    left = place.ends_at - time.monotonic()
    done = subprocess.run(
        [*typed, *chosen], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=left, check=False
    )
    require(done.returncode == 0, done.stdout.strip()[-700:])
    return {"pytest": done.stdout.strip().splitlines()[-1]}


def residency(place: Place) -> dict[str, Any]:
    """Check that labels are the same wherever samples are stored; return the seconds of each place."""
    names = ("device", "host", "disk")
    recipe = ("experiment=mnist_10k", "trainer.deterministic=true")
    seconds = {name: place.run(f"at_{name}", *recipe, f"data.residency={name}")["seconds"] for name in names}
    first = place.labels("at_device")
    require(all(place.labels(f"at_{name}") == first for name in names), "labels differ between places")
    return seconds


def compiled(place: Place) -> dict[str, Any]:
    """Run without and with a compiled net."""
    recipe = ("experiment=mnist_10k", "pretrain.max_epochs=100")
    return {which: place.run(f"compile_{which}", *recipe, f"compile={which}")["seconds"] for which in ("false", "true")}


def resume(place: Place) -> dict[str, Any]:
    """Check that a run that is stopped in its fit and resumed ends with the labels of an uninterrupted one."""
    recipe = ("experiment=mnist_10k", "trainer.deterministic=true", "callbacks.target_refresh.tol=0",
              "callbacks.target_refresh.update_interval=15", "trainer.graph=true", "baselines=none",
              "fit.max_steps=1400")  # fmt: skip
    place.run("whole", *recipe)
    folder = place.scratch / "cut"
    process = subprocess.Popen(place.command("cut", *recipe), env=environment(), stdout=subprocess.DEVNULL)
    curves = folder / "fit" / "metrics.csv"
    while process.poll() is None and not _refreshed(curves, 3):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=60)
    require(code == 128 + signal.SIGTERM, f"the stopped run ended with code {code}")
    at = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["global_step"]
    again = [sys.executable, "-m", "deepcluster_pl", f"resume={folder}"]
    subprocess.run(again, env=environment(), check=True, stdout=subprocess.DEVNULL)
    require(place.labels("cut") == place.labels("whole"), "labels differ after a resume")
    return {"stopped_at_step": at, "same_labels": True}


def _refreshed(curves: Path, times: int) -> bool:
    return curves.is_file() and curves.read_text(encoding="utf-8").count("clusters/size_entropy") >= times


def estimator(place: Place) -> dict[str, Any]:
    """Check that the estimator finds the GPU, and that its saved model predicts the same clusters on the CPU."""
    script = """
import json, sys, tempfile
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score as nmi
from deepcluster_pl import DeepClustering
x, y = load_digits(return_X_y=True)
model = DeepClustering("dec", 8, random_state=0, accelerator=sys.argv[1], overrides=("pretrain.max_epochs=30",)).fit(x)
with tempfile.TemporaryDirectory() as folder:
    model.save(folder + "/model")
    again = DeepClustering.load(folder + "/model").set_params(accelerator="cpu").predict(x)
print(json.dumps({"same": int((again == model.labels_).sum()), "of": len(x), "nmi": nmi(y, model.labels_)}))
"""
    typed = [sys.executable, "-c", script, place.accelerator]
    left = place.ends_at - time.monotonic()
    done = subprocess.run(typed, env=environment(), capture_output=True, text=True, timeout=left, check=False)
    require(done.returncode == 0, done.stderr.strip()[-500:])
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    require(result["same"] == result["of"], f"only {result['same']} of {result['of']} predicted as fitted")
    return result


def ddp(place: Place) -> dict[str, Any]:
    """Compare one process of a distributed run (NCCL on a GPU) with a plain run."""
    recipe = ("experiment=mnist_10k", "trainer.deterministic=true")
    place.run("alone", *recipe)
    place.run("ddp", *recipe, "trainer.strategy=ddp", "trainer.devices=1")
    alone, together = place.labels("alone"), place.labels("ddp")
    return {"other_cluster": sum(a != b for a, b in zip(alone, together, strict=True)), "of": len(alone)}


def step(place: Place) -> dict[str, Any]:
    """Measure the milliseconds of a step of pretraining, eager and captured, in a stage of a run and by hand."""
    from scripts.checks.gpu_steps import time_steps  # which imports the whole package

    return time_steps(place.scratch / "x.npy", place.accelerator, place.short, WAYS)


def essentials(scores: dict[str, Any]) -> dict[str, Any]:
    """Return the scores and facts of a run that a line records."""
    metrics = ("acc", "nmi", "nmi_geometric", "ari")
    parts = {part: {m: scores[part][m] for m in metrics} for part in ("fit", "holdout") if scores[part]}
    return parts | {key: scores[key] for key in ("seconds", "steps", "machine", "commit", "remark")}


def require(holds: bool, otherwise: str) -> None:
    """Raise the error of a failed check unless a condition holds."""
    if not holds:
        raise RuntimeError(otherwise)


CHECKS: tuple[Check, ...] = (
    step, headline, scan, article, starts, modules, equal, resume, seeds, estimator, residency, precisions, ddp,
    compiled,
)  # fmt: skip


def main() -> int:
    """Run the checks in turn; return exit code 1 if one failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--accelerator", default="gpu")
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder that run folders stay in")
    names = [check.__name__ for check in CHECKS]
    parser.add_argument("--checks", nargs="+", choices=names, default=names, help="run only these")
    chosen = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as scratch, chosen.results.open("a", encoding="utf-8") as out:
        ends_at = time.monotonic() + 60 * chosen.minutes
        place = Place(chosen.data.resolve(), chosen.keep or Path(scratch), chosen.accelerator, chosen.short, ends_at)
        for check in (check for check in CHECKS if check.__name__ in chosen.checks):
            line: dict[str, Any] = {"check": check.__name__, "torch": torch.__version__}
            began = time.monotonic()
            try:
                line |= {"skipped": "no time left"} if began > ends_at - 5 else check(place)
            except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                failed = True
                line["failed"] = str(error)[-800:]
            line["wall_s"] = round(time.monotonic() - began, 1)
            out.write(json.dumps(line) + "\n")
            out.flush()
            print(json.dumps(line), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
