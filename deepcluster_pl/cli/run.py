"""Carry out `deepcluster run`: check all settings, then start or resume a run or a sweep."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.quick_imports import quick_imports

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from deepcluster_pl.config.allowlist import Allowed
    from deepcluster_pl.config.compose import Composition


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `run` to the command line; the parser of Hydra reads its words."""
    subparsers.add_parser("run", help="cluster data (the default)", add_help=False)


def execute(words: Sequence[str]) -> int:
    """Carry out one command line of `run`.

    Args:
        words: overrides and Hydra's flags.

    Returns:
        The exit code, 1 where a job failed.

    Raises:
        UserError: words are wrong; the text names every problem.
    """
    if any(word in ("-h", "--help") for word in words):
        from deepcluster_pl.cli.help import overview

        print(overview())
        return 0
    if int(os.environ.get("RANK", "0")) > 0:  # torchrun starts the further processes of a run this way
        from deepcluster_pl.runs.worker import main as work

        work()
        return 0
    return int(_run(_read(words)))


@dataclass(frozen=True)
class Typed:
    """Words of a command line, sorted.

    Attributes:
        overrides: key=value, with paths quoted for Hydra's grammar.
        flags: the other words, which Hydra parses again.
        config_dir: folder of the user's own recipes, or None.
        multirun: whether -m was typed.
        shows: whether a flag only prints something, such as the config.
        shows_config: whether the flag --cfg was typed.
        completes: whether Hydra's flag --shell-completion was typed.
    """

    overrides: list[str]
    flags: list[str]
    config_dir: str | None
    multirun: bool
    shows: bool
    shows_config: bool
    completes: bool

    @property
    def recipe_folders(self) -> list[Path]:
        """Return the folders of recipes beside the shipped ones."""
        return [Path(self.config_dir).expanduser()] if self.config_dir else []


def _read(words: Sequence[str]) -> Typed:
    """Separate overrides and flags; raise `UserError` for a flag that is not used here."""
    from hydra._internal.utils import get_args_parser

    from deepcluster_pl.config.quoting import quote_paths

    flags, rest = get_args_parser().parse_known_args(list(words))
    unknown = [word for word in rest if word.startswith("-")]
    if unknown:
        raise UserError(f"{unknown[0]}: no such flag; --help lists what there is")
    for name in ("config_path", "config_name", "experimental_rerun"):
        if getattr(flags, name, None):
            raise UserError(f"--{name.replace('_', '-')} is not used here; type --config-dir <folder of your recipes>")
    if flags.multirun and flags.cfg:
        raise UserError("--cfg shows the config of one run; leave out -m")
    overrides = [*flags.overrides, *rest]
    return Typed(
        overrides=quote_paths(overrides, flags.multirun),
        flags=[word for word in words if word not in overrides],
        config_dir=flags.config_dir,
        multirun=bool(flags.multirun),
        shows=bool(flags.cfg or flags.info or flags.shell_completion),
        shows_config=bool(flags.cfg),
        completes=bool(flags.shell_completion),
    )


def _run(typed: Typed) -> bool:
    """Resume, show, or check and start; return True if a job failed."""
    from deepcluster_pl.config.sweeps import sweeps_by_itself

    if any(re.match(r"\+{0,2}resume=(?!null$)", override) for override in typed.overrides):
        if typed.shows or typed.multirun:
            raise UserError("resume= resumes the run of a folder; leave out -m, --cfg and --info")
        from deepcluster_pl.cli.resume import resume

        return resume([re.sub(r"^\+{1,2}(?=resume=)", "", word) for word in typed.overrides], typed.config_dir)
    if not typed.multirun and not typed.shows_config and sweeps_by_itself(typed.overrides, typed.config_dir):
        typed = replace(typed, multirun=True, flags=["-m", *typed.flags])
    return _show(typed) if typed.shows else _start(typed)


def _show(typed: Typed) -> bool:
    """Let Hydra print the config, or what another flag asks for."""
    from deepcluster_pl.cli.sweep_jobs import run_hydra
    from deepcluster_pl.config.allowlist import allowed_by
    from deepcluster_pl.config.compose import compose_checked

    composition = compose_checked(typed.overrides, typed.multirun, typed.config_dir)
    if composition.problems and not typed.completes:
        raise UserError("\n".join(composition.problems))
    return run_hydra([*composition.added, *typed.overrides, *typed.flags], None, allowed_by(typed.recipe_folders))


def _start(typed: Typed) -> bool:
    """Check the overrides and the folder, and start a run or a sweep; return True if a job failed."""
    from deepcluster_pl.config.allowlist import allowed_by
    from deepcluster_pl.config.compose import compose_checked
    from deepcluster_pl.config.quoting import quote_paths
    from deepcluster_pl.config.sweeps import own_sweep, search_direction

    # An experiment may be a sweep by itself, and a sweeper that searches needs a direction
    composition = compose_checked(typed.overrides, typed.multirun, typed.config_dir)
    understood, reasons = composition.added, composition.reasons
    typed = replace(typed, overrides=[*understood, *typed.overrides])
    swept, added = own_sweep(composition.cfg, typed.overrides, typed.multirun)
    multirun = typed.multirun or bool(swept)
    if swept:
        composition = compose_checked([*typed.overrides, *swept], True, typed.config_dir)
    if multirun:
        added += search_direction(composition, typed.overrides)
    allowed = allowed_by(typed.recipe_folders)
    folder = _check(replace(composition, reasons=reasons), typed.overrides, multirun, allowed).absolute()
    # These have imported torch
    from deepcluster_pl.cli.sweep_jobs import run_hydra
    from deepcluster_pl.runs.failures import friendly_errors
    from deepcluster_pl.runs.folder import holds_unfinished_config, remove_unstarted
    from deepcluster_pl.utils.locking import folder_lock

    # The folder's name holds the time of day, so Hydra gets the one that was checked
    location = quote_paths([f"hydra.{'sweep' if multirun else 'run'}.dir={folder}"])
    with friendly_errors(folder), folder_lock(folder):
        words = [*typed.overrides, *location, *added, *typed.flags]
        try:
            return run_hydra(words, folder if multirun else None, allowed)
        except BaseException:
            if not multirun and holds_unfinished_config(folder):  # while the lock says that it is ours
                remove_unstarted(folder)
            raise


def _check(composition: Composition, overrides: Sequence[str], multirun: bool, allowed: Allowed) -> Path:
    """Check everything, print what will be done before the checks that take seconds, and return the folder to write.

    Args:
        composition: result of `compose_checked`.
        overrides: as typed.
        multirun: whether they are a sweep.
        allowed: code that recipes may call.

    Raises:
        UserError: with every problem of overrides and configs, or with that of the folder.
    """
    from omegaconf import OmegaConf

    from deepcluster_pl.cli.opening import describe_run, say
    from deepcluster_pl.config.allowlist import foreign_code
    from deepcluster_pl.runs.folder import check_folder_usable, check_subdir

    messages = list(composition.problems)
    cfg, folder = composition.cfg, Path()
    configs = [] if cfg is None else [cfg, *(variant for _, variant in composition.variants)]
    foreign = [line for config in configs for line in foreign_code(config, allowed)]
    messages += foreign
    if multirun and not foreign:
        messages += [line for config in configs for line in _several_processes(config)]
    if cfg is not None and not messages:
        # The folder can be checked without torch
        option = "hydra.sweep.dir" if multirun else "hydra.run.dir"
        folder = Path(OmegaConf.select(cfg, option))
        if multirun:
            sweep: Any = OmegaConf.to_container(cfg.hydra.sweep)  # its interpolations hold values of each job
            check_subdir(str(sweep["subdir"]), configs, overrides)
        check_folder_usable(folder, option)
        for line in (describe_run(cfg, overrides, multirun, folder), *composition.reasons):
            say(line)
    if cfg is not None and not foreign:  # code that is not trusted is not imported, not even for checks
        with quick_imports():  # of torch, and of all else that a run needs
            from deepcluster_pl.cli import sweep_jobs  # noqa: F401
            from deepcluster_pl.config.validation import problems
        messages += problems(cfg)
        for text, variant in composition.variants:
            messages += [f"{text}: {line}" for line in problems(variant) if line not in messages]
    if messages or cfg is None:
        raise UserError("\n".join(dict.fromkeys(messages)))
    return folder


def _several_processes(cfg: DictConfig) -> list[str]:
    """Return a message for a sweep's job of several processes, since the jobs follow each other in this process."""
    trainer = cfg.trainer
    one_device = trainer.devices == 1 or (isinstance(trainer.devices, Sequence) and len(trainer.devices) == 1)
    if one_device and trainer.strategy in ("auto", "single_device") and trainer.num_nodes == 1:
        return []
    return [
        f"found trainer.strategy={trainer.strategy} trainer.devices={trainer.devices} in a sweep, whose jobs are one "
        f"process each; type trainer.strategy=auto trainer.devices=1, or start the runs one by one without -m"
    ]
