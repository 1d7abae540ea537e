"""Completion in bash and zsh: what may stand where the cursor is, read from the recipes as they compose so far.

eval "$(deepcluster --completion bash)"      in ~/.bashrc
eval "$(deepcluster --completion zsh)"       in ~/.zshrc
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from deepcluster_pl.config.recipes import groups, options
from deepcluster_pl.errors import UserError

FLAGS = ("-m", "--multirun", "--cfg", "--config-dir", "--help", "--version", "--completion")
_SHELLS = ("bash", "zsh")
_ZSH = """\
(( $+functions[compdef] )) || { autoload -U +X compinit && compinit -u; }
autoload -U +X bashcompinit && bashcompinit
"""
_BASH = """\
_deepcluster() {
    local line="${COMP_LINE:0:$COMP_POINT}"
    local word="${line##* }" IFS=$'\\n'
    COMPREPLY=($(deepcluster --complete "$word" "$line" 2>/dev/null))
    if [ -z "$ZSH_VERSION" ]; then  # bash replaces only what is behind the last = or :
        local kept="${word%"${word##*[=:]}"}"
        COMPREPLY=("${COMPREPLY[@]#"$kept"}")
    fi
}
complete -o nospace -o default -F _deepcluster deepcluster
"""


def script(shell: str) -> str:
    """What a shell has to run once; `UserError` for one that is not known."""
    if shell not in _SHELLS:
        raise UserError(f"--completion {shell}: expected {' or '.join(_SHELLS)}")
    return _BASH if shell == "bash" else f"{_ZSH}{_BASH}"


def candidates(word: str, line: str) -> list[str]:
    """What a word may become; a key ends with = or ., and behind a key stands its value of now.

    Args:
        word: typed so far, up to the cursor.
        line: all up to the cursor; what was chosen before decides which keys there are.

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
    """Keys up to their next dot behind the word: `pre` becomes `pretrain.`, and that `pretrain.max_epochs=`."""
    for key in keys:
        if key.startswith(word):
            part, dot, _ = key[len(word) :].partition(".")
            yield f"{word}{part}{dot or '='}"


def _keys(line: str) -> dict[str, Any]:
    """Every key that holds a value, with that value, as the words before the last one compose."""
    from omegaconf import OmegaConf

    from deepcluster_pl.config.compose import compose_checked

    typed = [text for text in line.split()[1:-1] if "=" in text]
    cfg = compose_checked(typed, "-m" in line.split()).cfg
    found: dict[str, Any] = {}

    def walk(node: Any, prefix: str) -> None:
        for key, value in node.items():
            if isinstance(value, dict) and value:
                walk(value, f"{prefix}{key}.")
            elif not str(key).startswith("_") and f"{prefix}{key}" != "hydra":
                found[f"{prefix}{key}"] = value

    plain: Any = OmegaConf.to_container(cfg) if cfg is not None else {}
    plain.pop("hydra", None)
    walk(plain, "")
    return found


def main(arguments: Sequence[str]) -> str:
    """Answer `--completion <shell>` and `--complete <word> <line>`."""
    if arguments[0] == "--completion":
        return script(arguments[1] if len(arguments) > 1 else "")
    word, line = (*arguments[1:], "", "")[:2]
    return "".join(f"{text}\n" for text in candidates(word, line))
