"""One run: from its config, through its stages, to the files in its folder."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepcluster_pl.runs.in_memory import fit_samples
    from deepcluster_pl.runs.new_samples import load_samples, predict
    from deepcluster_pl.runs.pipeline import run, run_on_samples
    from deepcluster_pl.runs.recipe import Recipe
    from deepcluster_pl.runs.trained import Trained

_MODULES = {
    "Recipe": "recipe",
    "Trained": "results",
    "fit_samples": "in_memory",
    "load_samples": "new_samples",
    "predict": "new_samples",
    "run": "pipeline",
    "run_on_samples": "pipeline",
}

__all__ = ["Recipe", "Trained", "fit_samples", "load_samples", "predict", "run", "run_on_samples"]


def __getattr__(name: str) -> Any:
    """Import a name when it is asked for: `deepcluster table` reads a sweep without torch (PEP 562)."""
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
