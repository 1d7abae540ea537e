"""Configs of candidates: their own recipe, the run's data and machine. Settings of one method are refused."""

from __future__ import annotations

from deepcluster_pl.config.candidates import candidate_config
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import without_hydra


def test_a_candidate_takes_data_machine_and_seed_from_the_run():
    cfg = without_hydra(compose_checked([
        "method=auto", "data=wine", "data.holdout=0.2", "n_clusters=3", "seed=5", "trainer.precision=bf16-mixed",
    ]).cfg)  # fmt: skip
    own = candidate_config(cfg, ("method=ae_gmm", "pretrain.max_epochs=7"), None)
    assert (own.data.name, own.data.holdout, own.data.seed) == ("wine", 0.2, 5)
    assert (own.n_clusters, own.start.n_components, own.start.random_state) == (3, 3, 5)
    assert own.trainer.precision == "bf16-mixed"
    assert (own.method.name, own.pretrain.max_epochs) == ("ae_gmm", 7)
    assert "auto" not in own


def test_settings_of_one_method_are_refused_beside_auto():
    typed = [
        "fit.max_steps=3", "net=mlp_autoencoder", "net.dims=[4]", "start=gmm", "optimizer@fit.optimizer=adam",
        "pretrain.max_epochs=2", "student=conv", "whiten=0.5", "method.n_heads=3",
    ]  # fmt: skip
    problems = compose_checked(["method=dec,auto", "seed=1", *typed], multirun=True).problems
    assert {text.partition(" is a setting of one method")[0] for text in problems} == {
        text.partition("=")[0] for text in typed
    }
    assert all("type method=dec with it" in text for text in problems)


def test_keys_of_auto_name_the_method_that_has_them():
    assert compose_checked(["method=dec", "auto.budget=quick"]).problems == [
        "auto.budget: no such key with method=dec; type method=auto with it"
    ]
