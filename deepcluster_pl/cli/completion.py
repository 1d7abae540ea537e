"""Carry out `deepcluster completion`: complete words in bash and zsh, by the recipe that is typed so far."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from deepcluster_pl.config.recipes import groups, options
from deepcluster_pl.errors import UserError

FLAGS = ("-m", "--multirun", "--cfg", "--config-dir", "--help", "--version")
_DESCRIPTION = """\
Print the script that a shell runs once, so that it completes groups, options and keys.

examples
  eval "$(deepcluster completion bash)"      in ~/.bashrc
  eval "$(deepcluster completion zsh)"       in ~/.zshrc"""
_SHELLS = ("bash", "zsh")
_ZSH = """\
(( $+functions[compdef] )) || { autoload -U +X compinit && compinit -u; }
autoload -U +X bashcompinit && bashcompinit
"""
_BASH = """\
_deepcluster() {
    local line="${COMP_LINE:0:$COMP_POINT}"
    local word="${line##* }" IFS=$'\\n'
    COMPREPLY=($(deepcluster completion words "$word" "$line" 2>/dev/null))
    if [ -z "$ZSH_VERSION" ]; then  # bash replaces only the text after the last = or :
        local prefix="${word%"${word##*[=:]}"}"
        COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
    fi
}
complete -o nospace -o default -F _deepcluster deepcluster
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `completion` to the command line."""
    parser = subparsers.add_parser("completion", help="completion of words in bash and zsh", description=_DESCRIPTION)
    parser.add_argument("shell", help="bash or zsh")
    parser.add_argument("typed", nargs="*", help=argparse.SUPPRESS)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Print the script of a shell; or, when that script asks, the completions of the word at the cursor."""
    if options.shell == "words":
        word, line = (*options.typed, "", "")[:2]
        print("".join(f"{text}\n" for text in candidates(word, line)), end="")
    elif options.shell in _SHELLS:
        print(_BASH if options.shell == "bash" else f"{_ZSH}{_BASH}", end="")
    else:
        raise UserError(f"completion {options.shell}: expected {' or '.join(_SHELLS)}")
    return 0


def candidates(word: str, line: str) -> list[str]:
    """Return the completions of a word: keys, which end with = or a dot, options, or the present value of a key.

    Args:
        word: typed so far, up to the cursor.
        line: everything up to the cursor; its recipe decides which keys exist.

    Returns:
        Completions in alphabetical order.

    >>> candidates("method=va", ""), candidates("pretrain.max", "deepcluster method=dec pretrain.max")
    (['method=vade'], ['pretrain.max_epochs='])
    """
    if word.startswith("-"):
        return [flag for flag in FLAGS if flag.startswith(word)]
    key, equals, value = word.partition("=")
    if not equals:
        names = {*(f"{group}=" for group in groups()), *_next_parts(_keys(line), word)}
        return sorted(name for name in names if name.startswith(word))
    before, comma, last = value.rpartition(",")
    if key in groups():
        return [f"{key}={before}{comma}{name}" for name in options(key) if name.startswith(last)]
    known = _keys(line).get(key)
    text = {True: "true", False: "false", None: "null"}.get(known, str(known)) if key in _keys(line) else ""
    return [f"{key}={text}"] if text and text.startswith(value) else []


def _next_parts(keys: dict[str, Any], word: str) -> Iterator[str]:
    """Yield keys up to their next dot: `pre` gives `pretrain.`, which gives `pretrain.max_epochs=`."""
    for key in keys:
        if key.startswith(word):
            part, dot, _ = key[len(word) :].partition(".")
            yield f"{word}{part}{dot or '='}"


def _keys(line: str) -> dict[str, Any]:
    """Return every key with a value, in the config of the words before the last one."""
    from omegaconf import OmegaConf

    from deepcluster_pl.config.compose import compose_checked

    typed = [text for text in line.split()[1:-1] if "=" in text]
    cfg = compose_checked(typed, "-m" in line.split()).cfg
    values: dict[str, Any] = {}

    def walk(node: Any, prefix: str) -> None:
        for key, value in node.items():
            if isinstance(value, dict) and value:
                walk(value, f"{prefix}{key}.")
            elif not str(key).startswith("_") and f"{prefix}{key}" != "hydra":
                values[f"{prefix}{key}"] = value

    plain: Any = OmegaConf.to_container(cfg) if cfg is not None else {}
    plain.pop("hydra", None)
    walk(plain, "")
    return values
