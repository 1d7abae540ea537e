"""Imports point down: a room may use the rooms below it, never one above; no room and no file imports in a circle."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "deepcluster_pl"
ROOMS = (
    "cli", "organize", "estimator", "runs", "training", "reporting", "config", "evaluation", "methods", "nets", "data",
    "utils", "functional", "errors",
)  # fmt: skip
"""From the top: each may import those behind it."""
AT_THE_ROOT = {"__init__.py", "__main__.py", "errors.py"}
KNOW_HYDRA = {"cli", "runs", "config", "estimator"}


def modules() -> dict[str, Path]:
    """Every module by its dotted name below the package."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if "conf" not in parts:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def room(name: str) -> str:
    return name.split(".")[0]


def imports(path: Path, everywhere: bool = True) -> set[str]:
    """Modules of the package that a file imports; with `everywhere`, inside functions too."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("deepcluster_pl"):
            base = (node.module or "").removeprefix("deepcluster_pl").lstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".lstrip(".")
                found.add(inner if inner in MODULES else base)
        elif isinstance(node, ast.Import):
            found |= {
                a.name.removeprefix("deepcluster_pl.") for a in node.names if a.name.startswith("deepcluster_pl.")
            }
    return found - {""}


def test_few_files_lie_loose():
    assert {path.name for path in PACKAGE.glob("*.py")} == AT_THE_ROOT


def test_every_module_has_a_room():
    assert {room(name) for name in MODULES if name} == {*ROOMS, "__main__"}


def test_no_room_imports_one_above():
    upward = [
        f"{name} imports {other}"
        for name, path in MODULES.items()
        if room(name) in ROOMS
        for other in imports(path)
        if ROOMS.index(room(other)) < ROOMS.index(room(name))
    ]
    assert upward == []


def test_no_file_is_in_a_circle():
    graph = {name: imports(path) - {name} for name, path in MODULES.items() if name}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None
    assert set(order) >= set(graph)


def test_nothing_below_config_knows_hydra():
    knowing = [
        name
        for name, path in MODULES.items()
        if room(name) in ROOMS and room(name) not in KNOW_HYDRA
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for package in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        if package.split(".")[0] in ("hydra", "omegaconf")
    ]
    assert knowing == []
