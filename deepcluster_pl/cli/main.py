"""The command line: help, overrides checked, exit codes; what it starts is in jobs.py."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepcluster_pl import __version__
from deepcluster_pl.config.recipes import groups, options

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from deepcluster_pl.config.compose import Composition

_EXAMPLES = """\
  python -m deepcluster_pl                                     DEC on the bundled digits
  python -m deepcluster_pl method=ae_kmeans seed=1             another recipe, another seed
  python -m deepcluster_pl data=mnist data.root=~/data trainer.accelerator=gpu
  python -m deepcluster_pl data=array data.path=table.csv data.label_column=class n_clusters=3
  python -m deepcluster_pl -m method=kmeans,ae_kmeans,dec seed=0,1,2   a sweep of nine runs
  python -m deepcluster_pl pretrained=auto method=dec          reuse an autoencoder of equal settings
  python -m deepcluster_pl resume=outputs/digits/dec/<time>    go on after an interruption; a sweep's folder too
  python -m deepcluster_pl method=dec --cfg job                show the composed config
  tensorboard --logdir outputs                                 curves of every run"""


def main() -> None:
    """ResumePoint point of `deepcluster` and `python -m deepcluster_pl`; the only place that sets the exit code."""
    arguments = sys.argv[1:]
    if any(argument in ("-h", "--help") for argument in arguments):
        print(help_text())
        return
    if "--version" in arguments:
        print(f"deepcluster_pl {__version__}")
        return
    from deepcluster_pl.errors import UserError

    if arguments[:1] in (["--complete"], ["--completion"]):
        from deepcluster_pl.cli import completion

        try:
            print(completion.main(arguments), end="")
        except UserError as error:
            print(error, file=sys.stderr)
            sys.exit(1)
        return
    if int(os.environ.get("RANK", "0")) > 0:  # as torchrun starts the others of several processes
        from deepcluster_pl.runs.worker import main as work

        return work()
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
        "Cluster data that nobody labeled.",
        "",
        "usage: python -m deepcluster_pl [group=option] [key=value] [-m]",
    ]
    lines += ["", "groups (* = default)"]
    for group, default in groups().items():
        names = [f"{name}*" if name == default else name for name in options(group)]
        lines.append(f"  {group:<30} {'  '.join(names) or '-'}")
    lines += ["", "keys", "  seed  n_clusters  pretrained  resume  ckpt_path  baselines …   all of them: --cfg job"]
    lines += ["", "flags", "  -m  sweep over values separated by commas     --cfg job  show the config, run nothing"]
    lines += ["  --config-dir <folder>  recipes of your own       --completion bash|zsh  --version  -h, --help"]
    return "\n".join([*lines, "", "examples", _EXAMPLES])


def _start(arguments: Sequence[str]) -> bool:
    """Check everything that can be checked, then run; True if a job failed."""
    from hydra._internal.utils import get_args_parser

    from deepcluster_pl.cli.resume import resume
    from deepcluster_pl.cli.sweep_jobs import run_hydra
    from deepcluster_pl.config.allowlist import trusted_targets
    from deepcluster_pl.config.compose import compose_checked
    from deepcluster_pl.config.quoting import quote_paths
    from deepcluster_pl.config.sweeps import own_sweep, search_direction, sweeps_by_itself
    from deepcluster_pl.errors import UserError
    from deepcluster_pl.utils.locking import folder_lock

    flags, behind = get_args_parser().parse_known_args(list(arguments))
    unknown = [text for text in behind if text.startswith("-")]
    if unknown:
        raise UserError(f"{unknown[0]}: no such flag; --help lists what there is")
    for name in ("config_path", "config_name", "experimental_rerun"):
        if getattr(flags, name, None):
            raise UserError(f"--{name.replace('_', '-')} is not used here; type --config-dir <folder of your recipes>")
    if flags.multirun and flags.cfg:
        raise UserError("--cfg shows the config of one run; leave out -m")
    overrides = [*flags.overrides, *behind]
    typed = quote_paths(overrides, flags.multirun)
    if any(re.match(r"\+{0,2}resume=(?!null$)", override) for override in typed):
        if flags.cfg or flags.multirun or flags.info:
            raise UserError("resume= goes on with what lies in a folder; leave out -m, --cfg and --info")
        return resume([re.sub(r"^\+{1,2}(?=resume=)", "", override) for override in typed], flags.config_dir)
    only_shows = bool(flags.cfg or flags.info or flags.shell_completion)
    if not flags.multirun and not flags.cfg and sweeps_by_itself(typed, flags.config_dir):
        flags.multirun = True
        arguments = ["-m", *arguments]
    composition = compose_checked(typed, flags.multirun, flags.config_dir)
    swept, added = own_sweep(composition.cfg, typed, flags.multirun)
    multirun = (flags.multirun or bool(swept)) and not only_shows
    if multirun and swept:
        composition = compose_checked([*typed, *swept], True, flags.config_dir)
    added += search_direction(composition, typed) if multirun else []
    trusted = trusted_targets([Path(flags.config_dir).expanduser()] if flags.config_dir else [])
    if only_shows:
        if composition.problems and not flags.shell_completion:
            raise UserError("\n".join(composition.problems))
        sys.argv = [sys.argv[0], *typed, *(text for text in arguments if text not in overrides)]
        return run_hydra(None, trusted)
    folder = _check(composition, multirun, trusted).absolute()
    where = quote_paths([f"hydra.{'sweep' if multirun else 'run'}.dir={folder}"])  # its time of day is ours
    sys.argv = [sys.argv[0], *typed, *where, *added, *(text for text in arguments if text not in overrides)]
    with folder_lock(folder):
        return run_hydra(folder if multirun else None, trusted)


def _check(composition: Composition, multirun: bool, trusted: frozenset[str]) -> Path:
    """The folder to come; one `UserError` with every problem of the overrides and of the configs they lead to."""
    from omegaconf import OmegaConf

    from deepcluster_pl.config import validation as config
    from deepcluster_pl.config.allowlist import untrusted
    from deepcluster_pl.errors import UserError
    from deepcluster_pl.runs.folder import check_folder_usable

    found = list(composition.problems)
    cfg = composition.cfg
    if cfg is not None:
        everything = (cfg, *(variant for _, variant in composition.variants))
        foreign = [line for one in everything for line in untrusted(one, trusted)]
        found += foreign or config.problems(cfg)  # what is foreign is not imported, not even to be looked at
        for text, variant in composition.variants if not foreign else []:
            found += [f"{text}: {line}" for line in config.problems(variant) if line not in found]
        if multirun:
            found += [line for one in everything for line in _alone(one)]
    if found or cfg is None:
        raise UserError("\n".join(dict.fromkeys(found)))
    option = "hydra.sweep.dir" if multirun else "hydra.run.dir"
    folder = Path(OmegaConf.select(cfg, option))
    check_folder_usable(folder, option)
    check_folder_usable(Path(cfg.cache_dir).expanduser() / "kept", "cache_dir")
    return folder


def _alone(cfg: DictConfig) -> list[str]:
    """What keeps a job of a sweep from being one process; the jobs of a sweep follow each other in this one."""
    trainer = cfg.trainer
    one = trainer.devices == 1 or (isinstance(trainer.devices, Sequence) and len(trainer.devices) == 1)
    if one and trainer.strategy in ("auto", "single_device") and trainer.num_nodes == 1:
        return []
    return [
        f"found trainer.strategy={trainer.strategy} trainer.devices={trainer.devices} in a sweep, whose jobs are one "
        f"process each; type trainer.strategy=auto trainer.devices=1, or start the runs one by one without -m"
    ]
