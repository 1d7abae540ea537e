"""Which clusters new samples belong to, as a finished run sees them.

    python -m deepcluster_pl predict run=<folder> data.path=new.csv
    python -m deepcluster_pl predict run=<folder> data=array data.path=new.npy to=new.csv accelerator=gpu

Without `data=` the samples come from the same kind of source as the run's own, with its columns and options; what is
typed as `data.<key>=` replaces one of them. All samples of the source are predicted, held-out or not. The table has
the columns id, cluster, confidence, label where known; with `shares=true` also one column for each cluster. It goes to
`to=`, or into the run's predictions/ folder; a file that exists is never written over.
"""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
from torch import Tensor

from deepcluster_pl.cli.new_samples import load_samples, run_folder, split_own
from deepcluster_pl.data.datamodule import ClusteringData
from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.metrics import label_scores
from deepcluster_pl.methods.predictor import device_of
from deepcluster_pl.methods.serialization import load_model, read_description
from deepcluster_pl.runs.failures import friendly_errors
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.warnings_filter import silence_libraries

_OWN = {"run": "", "to": "", "shares": "false", "accelerator": "auto"}


def main() -> int:
    """Predict, write the table, say where; exit code 1 with one line where something is unusable."""
    arguments = sys.argv[1:]
    if not arguments or "-h" in arguments or "--help" in arguments:
        print((__doc__ or "").strip())
        return 0
    try:
        own, overrides = split_own(arguments, _OWN)
        folder = run_folder(own["run"])
        if own["shares"] not in ("true", "false"):
            raise UserError(f"shares={own['shares']}: expected true or false")
        target = new_file(own["to"], folder / "predictions" / f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}.csv")
        with friendly_errors(folder):
            print(predict(folder, overrides, target, own["shares"] == "true", own["accelerator"]))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def predict(folder: Path, overrides: list[str], target: Path, with_shares: bool, accelerator: str) -> str:
    """Write the table to `target`, and return what there is to say about it."""
    silence_libraries()
    device = device_of(accelerator)
    module = load_model(folder / "model").to(device)
    data = load_samples(folder, overrides, accelerator)
    expected = module.net.input_shape
    if data.input_shape != expected:
        raise UserError(
            f"{data.name}: samples have shape {data.input_shape}, expected {expected} as the run was fitted on"
        )
    check_names(read_description(folder / "model")["samples"].get("feature_names"), data)
    data.move_to(device)
    shares = module.assign_all(module.embed(data.loader("fit"))).cpu()
    save(target, data, shares, with_shares)
    part = data.part("fit")
    clusters = shares.argmax(dim=1).numpy()
    told = f"{len(part)} samples in {len(np.unique(clusters))} of {module.n_clusters} clusters"
    scores = label_scores(part.labels, clusters)
    if scores["acc"] is not None:
        told += f"; ACC {scores['acc']:.4f}, NMI {scores['nmi']:.4f}, ARI {scores['ari']:.4f} with the labels"
    return "\n".join([told, *left_out(data, target), str(target)])


def left_out(data: ClusteringData, target: Path) -> list[str]:
    """How many pictures could not be read, where there are any; which, and why, is put beside the table."""
    skipped = getattr(data, "skipped", None)
    if not skipped:
        return []
    beside = target.with_name(f"{target.stem}.skipped.csv")
    with atomic_write(beside) as file:
        csv.writer(file).writerows([("path", "reason"), *sorted(skipped.items())])
    name, reason = min(skipped.items())
    return [f"{len(skipped)} left out, such as {name!r}: {reason}; all of them in {beside}"]


def check_names(expected: list[str] | None, data: ClusteringData) -> None:
    """`UserError` where columns have other names than those that were fitted, or stand in another order."""
    found = data.part("fit").feature_names
    if expected is None or found is None or found == expected:
        return
    if sorted(found) == sorted(expected):
        hint = f"the columns are those of the run in another order; type 'data.columns=[{','.join(expected)}]'"
    else:
        place = next(i for i, pair in enumerate(zip(found, expected, strict=True)) if pair[0] != pair[1])
        hint = f"column {place} is {found[place]!r}, expected {expected[place]!r} as the run was fitted on"
    raise UserError(f"{data.name}: {hint}")


def save(target: Path, data: ClusteringData, shares: Tensor, with_shares: bool) -> None:
    """Write shares (N, K) of a source's samples as a table."""
    part = data.part("fit")
    confidence, clusters = (values.numpy() for values in shares.max(dim=1))
    names = [f"share_{k}" for k in range(shares.shape[1])] if with_shares else []
    with atomic_write(target) as file:
        writer = csv.writer(file)
        writer.writerow(["id", "cluster", "confidence", *(["label"] if part.labels is not None else []), *names])
        for i in range(len(part)):
            label = [part.labels[i]] if part.labels is not None else []
            more = [f"{share:.4f}" for share in shares[i].tolist()] if with_shares else []
            writer.writerow([part.ids[i], int(clusters[i]), f"{confidence[i]:.4f}", *label, *more])


def new_file(typed: str, default: Path) -> Path:
    """Where a file goes; `UserError` where there is one already."""
    path = Path(typed).expanduser() if typed else default
    if path.exists():
        raise UserError(f"to={path} exists, and is not written over; type to=<a new file>")
    return path


if __name__ == "__main__":
    sys.exit(main())
