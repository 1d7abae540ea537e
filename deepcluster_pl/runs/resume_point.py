"""Find where a run starts: at the beginning, or from the checkpoints that an earlier run left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from deepcluster_pl.errors import UserError
from deepcluster_pl.training.checkpoints import (
    LAST,
    PREVIOUS,
    is_intact,
    stage_of,
)


@dataclass(frozen=True)
class ResumePoint:
    """Files of an earlier run that take the place of work.

    Attributes:
        pretrained: a finished pretraining.
        pretrain_from: go on pretraining from here.
        start: centers and labels to begin from.
        fit_from: go on fitting from here.
        final: a finished fit.
        remark: what the person should know of the choice.
    """

    pretrained: Path | None = None
    pretrain_from: Path | None = None
    start: Path | None = None
    fit_from: Path | None = None
    final: Path | None = None
    remark: str = ""


def find_resume_point(folder: Path, ckpt_path: str | None, pretrained: str | None) -> ResumePoint:
    """Where a run enters: behind the furthest in its own folder, or else behind `ckpt_path` or `pretrained`."""
    kept = folder / "checkpoints"
    last, remark = _last(kept)
    stage = stage_of(last) if last else None
    own = ResumePoint(
        pretrained=_if_there(kept / "pretrained.ckpt"),
        pretrain_from=last if stage == "pretrain" else None,
        start=_if_there(folder / "start.safetensors"),
        fit_from=last if stage == "fit" else None,
        final=_if_there(kept / "final.ckpt"),
        remark=remark,
    )
    if ckpt_path and not (own.final or own.fit_from):
        path = Path(ckpt_path).expanduser()
        if stage_of(path) == "fit":
            beside, above = path.parent / "pretrained.ckpt", path.parent.parent / "start.safetensors"
            for needed in (beside, above):
                if not needed.is_file():
                    raise UserError(
                        f"ckpt_path={path} needs {needed} of its own run; leave checkpoints in their folder"
                    )
            return ResumePoint(pretrained=beside, start=above, fit_from=path)
        return own if own.pretrained or own.pretrain_from else ResumePoint(pretrain_from=path)
    if own.pretrained or pretrained in (None, "auto"):
        return own
    return replace(own, pretrained=Path(str(pretrained)).expanduser())


def _last(kept: Path) -> tuple[Path | None, str]:
    """What was kept last, or before, where the last was damaged or a run was killed just then; and a word of it."""
    last, previous = _if_there(kept / LAST), _if_there(kept / PREVIOUS)
    if previous is None or (last and is_intact(last)):
        return last, ""
    if not is_intact(previous):
        return last or previous, ""
    return (
        previous,
        f"warning: {last or kept / LAST} is {'damaged' if last else 'missing'}; going on from {previous.name}",
    )


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None
