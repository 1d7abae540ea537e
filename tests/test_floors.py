"""Imports point down: a module may use its own floor and those below, never one above."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "deepcluster_pl"
FLOORS = {
    "functional": 0, "errors": 0, "ranges": 0, "files": 0, "tensors": 0, "recipes": 0, "layouts": 0, "processes": 0,
    "repeatable": 0, "descriptors": 0,
    "data": 1, "nets": 1, "scores": 1, "augment": 1, "pictures": 1,
    "curves": 2, "start": 2, "restarts": 2, "whitening": 2, "manifold": 2, "methods": 2, "pretrain": 2, "prediction": 2,
    "mapping": 2, "choosing": 2,
    "callbacks": 3, "checkpoints": 3, "metrics_csv": 3, "model": 3, "baselines": 3, "results": 3, "figures": 3,
    "summary": 3, "provenance": 3, "inference": 3, "report": 3, "board": 3, "gallery": 3,
    "stages": 4, "overrides": 4, "sweeps": 4, "config": 4, "origins": 4, "signatures": 4, "folders": 4, "quiet": 4,
    "run": 4, "organizing": 4, "launch": 4, "lock": 4, "trust": 4, "accidents": 4, "outcome": 4,
    "cli": 5, "jobs": 5, "resuming": 5, "table": 5, "worker": 5, "__main__": 5, "in_memory": 5,
    "estimator": 5, "new_samples": 5, "predict": 5, "choose_k": 5, "export": 5, "completion": 5, "organize": 5,
}  # fmt: skip


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("deepcluster_pl."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.module == "deepcluster_pl":
            found |= {alias.name for alias in node.names if not alias.name.startswith("__")}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("deepcluster_pl.")}
    return found


def modules() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py" and "conf" not in path.parts]


def test_every_module_has_a_floor():
    assert {room(path) for path in modules()} == set(FLOORS)


def test_no_module_imports_from_a_floor_above():
    upward = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in modules()
        for name in imported_rooms(path)
        if FLOORS[name] > FLOORS[room(path)]
    ]
    assert upward == []


def test_nothing_below_the_run_knows_hydra():
    knowing = [
        str(path.relative_to(PACKAGE))
        for path in modules()
        if FLOORS[room(path)] < 4 and room(path) != "recipes"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        if name.split(".")[0] in ("hydra", "omegaconf")
    ]
    assert knowing == []


def test_only_the_run_and_the_optimizer_check_instantiate_configs():
    users = {room(path) for path in modules() if "import instantiate" in path.read_text(encoding="utf-8")
             or "get_object, instantiate" in path.read_text(encoding="utf-8")}  # fmt: skip
    assert users == {"run", "config"}
