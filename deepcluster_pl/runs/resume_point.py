"""Find the point at which a run starts: the beginning, or the checkpoints of an earlier run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from deepcluster_pl.errors import UserError
from deepcluster_pl.training import Checkpoint
from deepcluster_pl.utils.run_folder import RunFolder


@dataclass(frozen=True)
class ResumePoint:
    """Results of an earlier run that replace work.

    Attributes:
        pretrained: a finished pretraining.
        pretrain_from: an interrupted pretraining.
        start: file of the initialization, start.safetensors.
        fit_from: an interrupted fit.
        final: a finished fit.
        student_from: an interrupted round of a student.
        remark: a warning about the choice, or an empty string.
    """

    pretrained: Checkpoint | None = None
    pretrain_from: Checkpoint | None = None
    start: Path | None = None
    fit_from: Checkpoint | None = None
    final: Checkpoint | None = None
    student_from: Checkpoint | None = None
    remark: str = ""

    def check_fingerprint(self, expected: dict[str, str]) -> None:
        """Raise `UserError` if a checkpoint belongs to other settings; for `pretrained` see `check_pretrained`."""
        for checkpoint in (self.pretrain_from, self.fit_from, self.final):
            if checkpoint is not None:
                checkpoint.check_fingerprint(expected)


def find_resume_point(folder: RunFolder, ckpt_path: str | None, pretrained: str | None) -> ResumePoint:
    """Return the point at which a run starts: the furthest checkpoint of its folder, or else that of the options.

    Args:
        folder: the run folder.
        ckpt_path: checkpoint of another run to resume from.
        pretrained: finished pretraining of another run; `auto` is left to the cache.

    Returns:
        The resume point; empty for a new run.

    Raises:
        UserError: a file that an option names cannot be read, or lacks the files beside it.
    """
    own = _own_resume_point(folder)
    if ckpt_path and not (own.final or own.fit_from):
        other = Checkpoint.open(Path(ckpt_path).expanduser())
        if other.stage == "fit":
            return _after_start_of(other)
        return own if own.pretrained or own.pretrain_from else ResumePoint(pretrain_from=other)
    if own.pretrained or pretrained in (None, "auto"):
        return own
    return replace(own, pretrained=Checkpoint.open(Path(str(pretrained)).expanduser()))


def _own_resume_point(folder: RunFolder) -> ResumePoint:
    """Return the resume point that the files in the run folder give."""
    last, remark = _newest(folder)
    stage = last.stage if last else None
    return ResumePoint(
        pretrained=_open_if_there(folder.pretrained),
        pretrain_from=last if stage == "pretrain" else None,
        start=folder.initialization if folder.initialization.is_file() else None,
        fit_from=last if stage == "fit" else None,
        final=_open_if_there(folder.final),
        student_from=last if stage and stage.startswith(folder.student_stage()) else None,
        remark=remark,
    )


def _after_start_of(fit: Checkpoint) -> ResumePoint:
    """Return the resume point of a fit's checkpoint; pretraining and initialization of the same run are needed too."""
    folder = RunFolder(fit.path.parent.parent)
    pretrained = fit.path.with_name(folder.pretrained.name)
    for needed in (pretrained, folder.initialization):
        if not needed.is_file():
            raise UserError(f"ckpt_path={fit.path} needs {needed} of its own run; leave checkpoints in their folder")
    return ResumePoint(pretrained=Checkpoint.open(pretrained), start=folder.initialization, fit_from=fit)


def _newest(folder: RunFolder) -> tuple[Checkpoint | None, str]:
    """Return the newest readable checkpoint, and a warning if `previous.ckpt` had to be used."""
    last = Checkpoint.open_if_intact(folder.last)
    if last is not None:
        return last, ""
    previous = Checkpoint.open_if_intact(folder.previous)
    if previous is None:
        return _open_if_there(folder.last) or _open_if_there(folder.previous), ""
    state = "damaged" if folder.last.is_file() else "missing"
    return previous, f"warning: {folder.last} is {state}; resuming from {previous.path.name}"


def _open_if_there(path: Path) -> Checkpoint | None:
    """Read a checkpoint; return None if there is no such file."""
    return Checkpoint.open(path) if path.is_file() else None
