"""The one list of the names in a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MOST_ROUNDS = 9
"""Rounds of a student, at most."""


@dataclass(frozen=True)
class RunFolder:
    """A run folder and a path for every file and folder in it.

    Args:
        path: the folder; it need not exist.
    """

    path: Path

    @property
    def config(self) -> Path:
        """Folder of config.yaml, hydra.yaml and overrides.yaml, written by Hydra before the run begins."""
        return self.path / "config"

    @property
    def multirun(self) -> Path:
        """The settings of a sweep, in a sweep's folder."""
        return self.path / "multirun.yaml"

    @property
    def lock(self) -> Path:
        """Locked by the process that works in the folder, while one does."""
        return self.path / "run.lock"

    @property
    def owner(self) -> Path:
        """Process id and host of the process that works in the folder."""
        return self.path / "run.owner"

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def pretrained(self) -> Path:
        """Checkpoint of the finished pretraining."""
        return self.checkpoints / "pretrained.ckpt"

    @property
    def final(self) -> Path:
        """Checkpoint of the finished fit."""
        return self.checkpoints / "final.ckpt"

    def student(self, number: int) -> Path:
        """Return the checkpoint of a finished round of the student, from 1."""
        return self.checkpoints / f"student_{number}.ckpt"

    @property
    def last(self) -> Path:
        """Newest checkpoint of the stage that is running."""
        return self.checkpoints / "last.ckpt"

    @property
    def previous(self) -> Path:
        """The checkpoint before the newest."""
        return self.checkpoints / "previous.ckpt"

    def stage(self, name: str) -> Path:
        """Return the folder of a stage's logs: `pretrain`, `fit`, or `student/1` of a student's first round."""
        return self.path / name

    @staticmethod
    def student_stage(number: int | None = None) -> str:
        """Return the name of a round of the student, from 1; the beginning of all those names without a number."""
        return f"student/{'' if number is None else number}"

    def metrics(self, stage: str) -> Path:
        """Return the file of a stage's metrics."""
        return self.stage(stage) / "metrics.csv"

    @property
    def all_metrics(self) -> list[Path]:
        """Files of the metrics of all stages, in the order of a run; those of stages that a run does without too."""
        rounds = [self.student_stage(number) for number in range(1, MOST_ROUNDS + 1)]
        return [self.metrics(stage) for stage in ("pretrain", "fit", *rounds)]

    @property
    def n_clusters(self) -> Path:
        """The number of clusters that was found, and the evidence for it."""
        return self.path / "n_clusters.json"

    @property
    def distortions(self) -> Path:
        """Distortions that the images tolerate, and the evidence for it, with `augment=auto`."""
        return self.path / "distortions.json"

    @property
    def initialization(self) -> Path:
        """Initial labels and centers."""
        return self.path / "start.safetensors"

    @property
    def candidates(self) -> Path:
        """Folder of a folder for each candidate of method=auto, with the names of a run folder in it."""
        return self.path / "candidates"

    @property
    def candidate_table(self) -> Path:
        """Table of the recipes that method=auto tried."""
        return self.path / "candidates.csv"

    @property
    def candidate(self) -> Path:
        """The seconds that a candidate took, and the reason if it failed, in its folder."""
        return self.path / "candidate.json"

    @property
    def model(self) -> Path:
        """Folder of the trained model."""
        return self.path / "model"

    @property
    def scores(self) -> Path:
        """All scores."""
        return self.path / "scores.json"

    @property
    def warnings(self) -> Path:
        """Warnings so far, for a resumed run; only where there are any."""
        return self.path / "warnings.json"

    @property
    def assignments(self) -> Path:
        """Cluster of every sample."""
        return self.path / "assignments.csv"

    @property
    def groups(self) -> Path:
        """Names of the groups of a table, which a person may change."""
        return self.path / "groups.csv"

    @property
    def levels(self) -> Path:
        """Coarser and finer levels of the partition, and the finest cell of every sample."""
        return self.path / "levels.json"

    @property
    def figures(self) -> Path:
        """Folder of pictures."""
        return self.path / "figures"

    def figure(self, name: str) -> Path:
        """Return the file of a figure, such as `map`."""
        return self.figures / f"{name}.png"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard's files of the finished run."""
        return self.path / "result"

    @property
    def report(self) -> Path:
        """The report page."""
        return self.path / "report.html"

    @property
    def model_card(self) -> Path:
        """The model in short."""
        return self.path / "MODEL_CARD.md"

    @property
    def gallery(self) -> Path:
        """The page of a picture library."""
        return self.path / "gallery.html"

    @property
    def gallery_choices(self) -> Path:
        """Names and choices that a person saved from the gallery."""
        return self.path / "gallery.json"

    @property
    def skipped(self) -> Path:
        """Pictures that were left out, with reasons."""
        return self.path / "skipped.csv"

    @property
    def pictures(self) -> Path:
        """Size, date and place of every picture."""
        return self.path / "pictures.csv"

    @property
    def predictions(self) -> Path:
        """Folder of `deepcluster predict`."""
        return self.path / "predictions"

    @property
    def export(self) -> Path:
        """Folder of `deepcluster export`."""
        return self.path / "export"

    @property
    def error(self) -> Path:
        """Traceback of a sweep's job that failed."""
        return self.path / "error.txt"

    @property
    def search(self) -> Path:
        """The best job of a search, in a sweep's folder."""
        return self.path / "optimization_results.yaml"

    @property
    def written_files(self) -> tuple[Path, ...]:
        """Every file that a run writes in one step, whose unfinished copies a killed run may leave behind."""
        return (
            self.pretrained, self.final, *(self.student(number) for number in range(1, MOST_ROUNDS + 1)),
            self.last, self.previous, self.n_clusters, self.distortions, self.initialization,
            self.model / "model.safetensors", self.model / "model.json", self.scores, self.assignments, self.report,
            self.warnings, self.levels, self.model_card, self.gallery, self.skipped, self.pictures, self.groups,
            self.candidate_table,
            *(self.figure(name) for name in ("reconstructions", "map", "members", "centers", "confusion", "curves")),
        )  # fmt: skip

    @property
    def written_folders(self) -> tuple[Path, ...]:
        """Every folder that a run writes into."""
        stages = (self.stage("pretrain"), self.stage("fit"), self.stage("student"))
        return (self.config, self.checkpoints, *stages, self.model, self.figures, self.tensorboard, self.candidates)

    @property
    def candidate_files(self) -> tuple[Path, ...]:
        """Every file of that kind in the folders of candidates."""
        folders = [RunFolder(path) for path in sorted(self.candidates.glob("*")) if path.is_dir()]
        return tuple(path for folder in folders for path in (*folder.written_files, folder.candidate))

    @property
    def run_names(self) -> frozenset[str]:
        """Names in the folder that a run or a sweep writes, those of Hydra and of the lock among them."""
        others = (self.multirun, self.search, self.lock, self.owner, self.error)
        paths = (*self.written_files, *self.written_folders, *others)
        return frozenset(path.relative_to(self.path).parts[0] for path in paths)

    @property
    def names(self) -> frozenset[str]:
        """All names in the folder: those of a run, and of the commands and the page that write into it afterwards."""
        return self.run_names | {path.name for path in (self.predictions, self.export, self.gallery_choices)}


def skipped_beside(table: Path) -> Path:
    """Return the file that lists what `deepcluster predict` left out, beside its table.

    >>> skipped_beside(Path("new/samples.csv")).as_posix()
    'new/samples.skipped.csv'
    """
    return table.with_name(f"{table.stem}.skipped.csv")
