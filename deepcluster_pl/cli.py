"""The command line: help, overrides checked, one run or a sweep of them, exit codes."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcluster_pl import __version__
from deepcluster_pl.recipes import conf_dir, groups, options

if TYPE_CHECKING:
    from omegaconf import DictConfig

_EXAMPLES = """\
  python -m deepcluster_pl                                     DEC on the bundled digits
  python -m deepcluster_pl method=ae_kmeans seed=1             another recipe, another seed
  python -m deepcluster_pl data=mnist data.root=~/data trainer.accelerator=gpu
  python -m deepcluster_pl data=array data.path=table.csv data.label_column=class n_clusters=3
  python -m deepcluster_pl -m method=kmeans,ae_kmeans,dec seed=0,1,2   a sweep of nine runs
  python -m deepcluster_pl pretrained=auto method=dec          reuse an autoencoder of equal settings
  python -m deepcluster_pl resume=outputs/digits/dec/<time>    go on after an interruption
  python -m deepcluster_pl method=dec --cfg job                show the composed config
  tensorboard --logdir outputs                                 curves of every run"""


def main() -> None:
    """Entry point of `deepcluster` and `python -m deepcluster_pl`; the only place that sets the exit code."""
    arguments = sys.argv[1:]
    if any(argument in ("-h", "--help") for argument in arguments):
        print(help_text())
        return
    if "--version" in arguments:
        print(f"deepcluster_pl {__version__}")
        return
    from deepcluster_pl.errors import UserError

    try:
        failed = _start(arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted; resume=<the run's folder> goes on from the last checkpoint", file=sys.stderr)
        sys.exit(130)
    except BaseException as end:
        number, folder = getattr(end, "number", None), getattr(end, "folder", None)
        if number is None:
            raise
        print(f"interrupted; type resume={folder} to go on", file=sys.stderr)
        sys.exit(128 + number)
    sys.exit(1 if failed else 0)


def help_text() -> str:
    """Groups with their options, the default first marked, and commands that work."""
    lines = [
        "Cluster data that nobody labelled.",
        "",
        "usage: python -m deepcluster_pl [group=option] [key=value] [-m]",
    ]
    lines += ["", "groups (* = default)"]
    for group, default in groups().items():
        names = [f"{name}*" if name == default else name for name in options(group)]
        lines.append(f"  {group:<30} {'  '.join(names) or '-'}")
    lines += ["", "keys", "  seed  n_clusters  pretrained  resume  ckpt_path  baselines …   all of them: --cfg job"]
    lines += ["", "flags", "  -m  sweep over values separated by commas     --cfg job  show the config, run nothing"]
    lines += ["  --config-dir <folder>  recipes of your own       --version  -h, --help"]
    return "\n".join([*lines, "", "examples", _EXAMPLES])


def _start(arguments: Sequence[str]) -> bool:
    """Check everything that can be checked, then hand over to Hydra; True if a job failed."""
    from hydra._internal.utils import get_args_parser

    from deepcluster_pl.errors import UserError
    from deepcluster_pl.overrides import compose_checked, quote_paths

    flags, behind = get_args_parser().parse_known_args(list(arguments))
    unknown = [text for text in behind if text.startswith("-")]
    if unknown:
        raise UserError(f"{unknown[0]}: no such flag; --help lists what there is")
    if flags.multirun and flags.cfg:
        raise UserError("--cfg shows the config of one run; leave out -m")
    overrides = [*flags.overrides, *behind]
    typed = quote_paths(overrides, flags.multirun)
    if any(re.match(r"\+{0,2}resume=(?!null$)", override) for override in typed):
        if flags.cfg or flags.multirun or flags.info:
            raise UserError("resume= goes on with one run; leave out -m, --cfg and --info")
        return _resume([override.lstrip("+") for override in typed])
    composition = compose_checked(typed, flags.multirun, flags.config_dir)
    if flags.cfg is None and not flags.shell_completion and flags.info is None:
        _check(composition.problems, composition.cfg, composition.variants, flags.multirun)
    elif composition.problems and not flags.shell_completion:
        raise UserError("\n".join(composition.problems))
    sys.argv = [sys.argv[0], *typed, *(text for text in arguments if text not in overrides)]
    return _run_hydra(flags.multirun)


def _check(problems: list[str], cfg: Any, variants: list[tuple[str, Any]], multirun: bool) -> None:
    """Raise one `UserError` with every problem of the overrides and of the configs they lead to."""
    from omegaconf import OmegaConf

    from deepcluster_pl import config
    from deepcluster_pl.errors import UserError
    from deepcluster_pl.folders import refuse_unusable

    found = list(problems)
    if cfg is not None:
        found += config.problems(without_hydra(cfg))
        for text, variant in variants:
            found += [f"{text}: {line}" for line in config.problems(without_hydra(variant)) if line not in found]
    if found:
        raise UserError("\n".join(dict.fromkeys(found)))
    option = "hydra.sweep.dir" if multirun else "hydra.run.dir"
    refuse_unusable(Path(OmegaConf.select(cfg, option)), option)
    refuse_unusable(Path(cfg.cache_dir).expanduser() / "kept", "cache_dir")


def without_hydra(cfg: DictConfig) -> DictConfig:
    """The config as a job sees it."""
    from omegaconf import OmegaConf

    return OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])


def _run_hydra(multirun: bool) -> bool:
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from rich.console import Console

    from deepcluster_pl.errors import UserError
    from deepcluster_pl.folders import forget_unbegun, refuse_unusable
    from deepcluster_pl.quiet import quiet
    from deepcluster_pl.results import objective
    from deepcluster_pl.run import run

    quiet()
    console = Console(highlight=False)
    failures: list[tuple[str, str]] = []
    jobs: list[str] = []

    def job(cfg: DictConfig) -> float:
        hydra_cfg = HydraConfig.get()
        overrides = list(hydra_cfg.overrides.task)
        command = shlex.join(["python", "-m", "deepcluster_pl", *overrides])
        folder = Path(hydra_cfg.runtime.output_dir)
        jobs.append(str(folder))
        if multirun:
            console.rule(f"job {len(jobs) - 1}: {' '.join(overrides)}")
        try:
            refuse_unusable(folder, "hydra.sweep.subdir" if multirun else "hydra.run.dir", has_begun=True)
            scores = run(cfg, folder, command, console)
        except UserError as error:
            failures.append((" ".join(overrides), str(error)))
            print(error, file=sys.stderr)
            if not multirun:
                forget_unbegun(folder)
            return objective(None, **cfg.objective)
        except Exception as error:
            if not multirun:
                raise
            failures.append((" ".join(overrides), _keep_traceback(folder, error)))
            print(failures[-1][1], file=sys.stderr)
            return objective(None, **cfg.objective)
        return objective(scores, **cfg.objective)

    hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")(job)()
    if multirun and jobs:
        console.rule("sweep")
        console.print(f"{len(jobs) - len(failures)} of {len(jobs)} jobs finished")
        console.print(f"their table: python -m deepcluster_pl.table {Path(jobs[0]).parent}", soft_wrap=True)
        for overrides, text in failures:
            console.print(f"failed: {overrides}: {text}", soft_wrap=True, markup=False)
    return bool(failures)


def _keep_traceback(folder: Path, error: Exception) -> str:
    import traceback

    (folder / "error.txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return f"{type(error).__name__}: {error} (traceback in {folder / 'error.txt'})"


def _resume(overrides: Sequence[str]) -> bool:
    """Go on in a run's folder with the config that lies there; only the machine may differ."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from rich.console import Console

    from deepcluster_pl.errors import UserError
    from deepcluster_pl.folders import saved_run
    from deepcluster_pl.quiet import quiet
    from deepcluster_pl.run import run

    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        raise UserError(f"{str(error).splitlines()[0]}; quote values that hold ,[]{{}}()= ") from error
    others = [o for o in parsed if o.key_or_group != "resume"]
    foreign = [str(o.input_line) for o in others if not str(o.key_or_group).startswith("trainer.")]
    if foreign:
        raise UserError(f"resume= goes on with the folder's own settings; only trainer.* may differ, not {foreign[0]}")
    target = next(o for o in parsed if o.key_or_group == "resume")
    saved = saved_run(Path(str(target.value())).expanduser().resolve())
    for override in others:
        if str(override.key_or_group).split(".")[-1] not in saved.cfg.trainer and not override.is_add():
            raise UserError(f"{override.key_or_group}: no such key in {saved.folder}/config/config.yaml")
        OmegaConf.update(saved.cfg, str(override.key_or_group), override.value(), force_add=True)
    if saved.cwd.is_dir():
        os.chdir(saved.cwd)  # relative paths in the config mean what they meant
    quiet()
    command = shlex.join(["python", "-m", "deepcluster_pl", *saved.overrides])
    run(saved.cfg, saved.folder, command, Console(highlight=False))
    return False
