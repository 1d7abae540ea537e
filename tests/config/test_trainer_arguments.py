"""Every argument of Lightning's Trainer works as `trainer.<name>=`, or the error says what to type instead."""

from __future__ import annotations

import inspect

import pytest
from pytorch_lightning import Trainer

from deepcluster_pl.config import validation as config
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.trainer_arguments import NARROWER, OWN, SET_BY_THE_RUN, divided, refusal

ARGUMENTS = [name for name in inspect.signature(Trainer.__init__).parameters if name != "self"]


def problems_of(*overrides):
    result = compose_checked(overrides)
    return result.problems + (config.problems(result.cfg) if result.cfg is not None else [])


def test_every_argument_is_spelled_by_the_recipe_or_set_by_the_run():
    spelled = set(compose_checked([]).cfg.trainer) - {"_target_"} - set(OWN)
    assert spelled | set(SET_BY_THE_RUN) == set(ARGUMENTS)
    assert spelled & set(SET_BY_THE_RUN) == set()
    assert set(NARROWER) <= spelled


def test_the_recipe_spells_lightnings_defaults_but_for_those_that_it_chooses():
    ours, _ = divided(compose_checked([]).cfg.trainer)
    del ours["_target_"]
    theirs = {name: inspect.signature(Trainer.__init__).parameters[name].default for name in ours}
    chosen = {
        "check_val_every_n_epoch",
        "devices",
        "precision",
        "deterministic",
        "log_every_n_steps",
        "enable_progress_bar",
    }
    assert {name for name in ours if ours[name] != theirs[name]} == chosen


def test_the_runs_own_keys_are_spelled_checked_and_kept_from_lightning():
    cfg = compose_checked([]).cfg
    lightning, own = divided(cfg.trainer)
    assert set(own) == set(OWN)
    assert set(lightning) & set(OWN) == set()
    cfg.trainer = {name: value for name, value in cfg.trainer.items() if name not in OWN}
    assert divided(cfg.trainer) == (lightning, {})  # the config of a run that began before there were any
    assert problems_of("trainer.steps_per_block=0") == [
        "trainer.steps_per_block: found 0, expected a whole number >= 1 or auto"
    ]


def test_tf32_beside_what_it_cannot_go_with_is_refused_in_a_line():
    for other in ("precision=bf16-mixed", "accumulate_grad_batches=2"):
        assert problems_of("trainer.matmul=tf32", f"trainer.{other}") == [
            f"trainer.matmul=tf32 does not go with trainer.{other}; type trainer.matmul=ieee"
        ]
    assert problems_of("trainer.matmul=tf32") == []
    assert problems_of("trainer.matmul=fast") == ["trainer.matmul: found 'fast', expected one of ieee, tf32"]


@pytest.mark.parametrize("sign", ["", "+", "++"])
def test_what_the_run_sets_is_refused_with_what_to_type(sign):
    lines = compose_checked([f"{sign}trainer.{name}=1" for name in SET_BY_THE_RUN]).problems
    assert lines == [f"trainer.{name}: {refusal(name)}" for name in SET_BY_THE_RUN]
    assert all(refusal(name).startswith("the run sets this itself") for name in SET_BY_THE_RUN)


def test_a_recipe_of_ones_own_cannot_set_it_either():
    cfg = compose_checked([]).cfg
    cfg.trainer = {**cfg.trainer, "max_steps": 3, "callbacks": [{"_target_": "pytorch_lightning.Callback"}]}
    lines = {f"trainer.{name}: {refusal(name)}" for name in ("max_steps", "callbacks")}
    assert set(config.problems(cfg)) == lines


def test_hints_name_keys_that_there_are():
    groups = {"callbacks", "logger"}
    for text in SET_BY_THE_RUN.values():
        for word in text.split():
            key = word.partition("=")[0]
            if "=" in word and key not in groups and not key.startswith("hydra."):
                typed = word if not word.endswith("=") else f"{key}={_value(key)}"
                assert problems_of("method=dec", typed) == [], word


def _value(key):
    cfg = compose_checked(["method=dec"]).cfg
    for part in key.split("."):
        cfg = cfg[part]
    return "null" if cfg is None else cfg
