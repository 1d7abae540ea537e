"""List the arguments of Lightning's Trainer that a run sets itself, narrow the types of others, and add the run's own.

Every argument is either spelled in conf/trainer/default.yaml or refused here with a hint.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from annotated_types import Predicate, doc
from omegaconf import DictConfig

from deepcluster_pl.config.nodes import to_plain
from deepcluster_pl.utils.ranges import Count, NonNegativeFloat, NonNegativeInt

SET_BY_THE_RUN = {
    "max_epochs": "type pretrain.max_epochs=",
    "min_epochs": "type pretrain.max_epochs=",
    "max_steps": "type fit.max_steps=",
    "min_steps": "type callbacks.target_refresh.tol=0 to train for all of fit.max_steps",
    "callbacks": "choose callbacks=",
    "logger": "choose logger=",
    "default_root_dir": "type hydra.run.dir=",
    "enable_checkpointing": "type checkpoint_interval= for the seconds between two checkpoints",
    # These would change the seeded order of batches, or the length of an epoch that a refresh counts in.
    "limit_train_batches": "type data.subset.size= to train on fewer samples",
    "overfit_batches": "type data.subset.size= to train on fewer samples",
    "fast_dev_run": "type pretrain.max_epochs=1 fit.max_steps=10 for a quick look",
    "val_check_interval": "type trainer.check_val_every_n_epoch=",
    "limit_val_batches": "type data.holdout= to hold out fewer samples",
    "barebones": "type logger=none trainer.enable_progress_bar=false",
    "profiler": "start python -m cProfile -o profile.out -m deepcluster_pl",
    "enable_autolog_hparams": "choose logger=",
    "limit_test_batches": "",
    "limit_predict_batches": "",
    "num_sanity_val_steps": "",
    "enable_model_summary": "",
    "model_registry": "",
    "plugins": "",
    "reload_dataloaders_every_n_epochs": "",
    "use_distributed_sampler": "",
}
"""Advice on the key to type instead of each argument; empty where there is nothing to choose."""

Duration = Annotated[str, Predicate(re.compile(r"\d+(:\d\d){3}").fullmatch), doc("a time as DD:HH:MM:SS")]

NARROWER: dict[str, Any] = {
    "accumulate_grad_batches": Count,
    "check_val_every_n_epoch": Count | Literal["auto"],
    "gradient_clip_algorithm": Literal["norm", "value"] | None,
    "gradient_clip_val": NonNegativeFloat | None,
    "log_every_n_steps": NonNegativeInt,
    "max_time": Duration | None,
    "num_nodes": Count,
}
"""Types of arguments whose wrong values the Trainer would accept, and fail on later."""


OWN: dict[str, Any] = {
    "matmul": Literal["ieee", "tf32"],
    "steps_per_block": Count | Literal["auto"],
    "graph": bool | Literal["auto"],
}
"""Types of the keys of `trainer` that the run reads itself, and Lightning does not know."""


def divided(trainer: DictConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return Lightning's arguments and the run's own keys, of which configs of earlier runs lack some."""
    plain = to_plain(trainer)
    own = {name: plain.pop(name) for name in OWN if name in plain}
    return plain, own


def refusal(name: str) -> str:
    """Return what to type instead of an argument that the run sets; an empty string for any other.

    >>> refusal("max_steps"), refusal("accelerator")
    ('the run sets this itself; type fit.max_steps=', '')
    """
    if name not in SET_BY_THE_RUN:
        return ""
    return "; ".join(filter(None, ["the run sets this itself", SET_BY_THE_RUN[name]]))
