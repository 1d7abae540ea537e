"""The recipes: every one composes, agrees with its constructors, and spells every knob."""

from __future__ import annotations

import inspect
import re

import pytest
from hydra.utils import get_object
from omegaconf import OmegaConf

from deepcluster_pl.config import validation as config
from deepcluster_pl.config.annotations import arguments
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import without_hydra
from deepcluster_pl.config.recipes import conf_dir, groups, options
from deepcluster_pl.config.sweeps import own_sweep
from deepcluster_pl.data.options import CommonOptions

METHODS = options("method")
EXPERIMENTS = options("experiment")


def composed(*overrides):
    result = compose_checked(overrides)
    assert result.problems == []
    return without_hydra(result.cfg)


def problems_of(*overrides):
    result = compose_checked(overrides)
    return result.problems + (config.problems(result.cfg) if result.cfg is not None else [])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_method_composes_with_every_experiment_checks_and_carries_no_key_of_another(method, experiment):
    result = compose_checked([f"method={method}", f"experiment={experiment}"])
    assert result.problems + config.problems(result.cfg) == []
    cfg = without_hydra(result.cfg)
    own = set(arguments(get_object(cfg.method._target_))[0]) - {"net"}
    assert set(cfg.method) - {"_target_"} == own
    assert ("target_refresh" in cfg.callbacks) == get_object(cfg.method._target_).learns


@pytest.mark.parametrize("group", [group for group in groups() if group not in ("method", "experiment")])
def test_every_option_of_every_group_checks(group):
    goes_with = {"net=identity": ["method=kmeans"], "callbacks=none": ["method=kmeans"]}
    chosen = [f"{group}={name}" for name in options(group)]
    problems = {text: problems_of(text, *goes_with.get(text, ["method=dec"])) for text in chosen}
    assert problems == {text: [] for text in chosen}


@pytest.mark.parametrize("group", [group for group in groups() if "@" not in group and group != "experiment"])
def test_yaml_spells_every_argument_of_our_own_constructors(group):
    missing = []
    for option in options(group):
        goes_with = ["method=kmeans"] if option in ("identity", "none") else ["method=dec"]
        for node in _targets(composed(f"{group}={option}", *(goes_with if group != "method" else []))):
            if not str(node["_target_"]).startswith("deepcluster_pl.") or node.get("_partial_"):
                continue
            parameters = inspect.signature(get_object(node["_target_"])).parameters
            names = {n for n, p in parameters.items() if p.kind is not p.VAR_KEYWORD} - {"net", "input_shape"}
            if "common" in parameters:
                names |= set(CommonOptions.__required_keys__)
            missing += [f"{group}={option}: {node['_target_']}: {name}" for name in sorted(names - set(node))]
    assert missing == []


@pytest.mark.parametrize("method", METHODS)
def test_kmeans_starts_twenty_times_in_every_recipe(method):
    start = composed(f"method={method}").start
    if start._target_ == "sklearn.cluster.KMeans":
        assert start.n_init == 20
    elif "n_neighbors" not in start or "mixture" in start:  # mixtures, whose restarts cost more; a graph has none
        assert start.get("mixture", start).n_init >= 5


@pytest.mark.parametrize("method", ["kmeans", "gmm", "n2d", "scan", "vade"])
def test_every_start_goes_with_every_method(method):
    found = {name: problems_of(f"method={method}", f"start={name}") for name in options("start")}
    assert found == {name: [] for name in options("start")}


def test_every_knob_has_a_comment():
    bare = []
    for file in conf_dir().rglob("*.yaml"):
        for line in file.read_text(encoding="utf-8").splitlines():
            text = line.strip()
            if re.match(r"\w+: \S", text) and "#" not in text and not text.startswith("_"):
                bare.append(f"{file.relative_to(conf_dir())}: {text}")
    said_elsewhere = {"name", "seed", "n_clusters", "n_components", "random_state", "dataset", "optimizer", "strategy"}
    said_elsewhere |= {"dir", "subdir", "chdir", "output_subdir", "enable_progress_bar", "module"}
    assert [line for line in bare if line.split(": ")[1] not in said_elsewhere] == []


def test_the_order_of_the_command_line_does_not_matter_and_it_wins_over_the_method():
    cfg = composed("pretrain.max_epochs=7", "start=gmm", "method=dec", "net.dims=[8,2]")
    assert (cfg.pretrain.max_epochs, cfg.net.dims) == (7, [8, 2])
    assert cfg.start._target_ == "sklearn.mixture.GaussianMixture"


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("methd=dec", "did you mean method?"),
        ("method=decc", "did you mean method=dec?"),
        ("method=DEC", "did you mean method=dec?"),
        ("optimizer@fit.optimizer=SGD", "did you mean optimizer@fit.optimizer=sgd?"),
        ("N_Clusters=3", "did you mean n_clusters?"),
        ("n_cluster=3", "did you mean n_clusters?"),
        ("trainer.acelerator=gpu", "did you mean trainer.accelerator?"),
        ("method.alhpa=2", "did you mean method.alpha?"),
        ("update_interval=3", "did you mean callbacks.target_refresh.update_interval?"),
        ("+method.beta=1", "no such key"),
        ("n_clusters=-5", "found -5, expected a whole number >= 1"),
        ("n_clusters=2.5", "expected a whole number"),
        ("seed=abc", "found 'abc', expected a whole number"),
        ("method.alpha=0", "found 0, expected a number > 0"),
        ("callbacks.target_refresh.tol=2", "expected a number >= 0 and <= 1"),
        ("data.holdout=1", "expected a number >= 0 and < 1"),
        ("data.split=randomly", "one of random, order, stratified"),
        ("trainer.precision=half", "found 'half'"),
        ("fit.optimizer.lr=-1", "Invalid learning rate"),
        ("+fit.optimizer.momentun=0.5", "did you mean momentum?"),
        ("trainer.max_epochs=3", "type pretrain.max_epochs="),
        ("+trainer.max_epochs=3", "type pretrain.max_epochs="),
        ("+trainer.devices=2", "this recipe has trainer.devices; leave out the +"),
        ("trainer.max_time=30", "expected a time as DD:HH:MM:SS or null"),
        ("trainer.check_val_every_n_epoch=0", "expected a whole number >= 1"),
        ("trainer.gradient_clip_algorithm=max", "expected one of norm, value or null"),
        (
            "data.root=/home/ada/Pictures",
            "no such key with data=digits; choose data=datahack or fashion_mnist or images or",
        ),
        ("data=wine data.path=x.csv", "no such key with data=wine; choose data=array"),
        ("experiment=mnist data.path=x.csv", "no such key with data=mnist; choose data=array"),
        ("data.subset.siez=3", "did you mean data.subset.size?"),
        ("data.path=x.csv data.colums=[a]", "did you mean data.columns?"),
        ("+pretrain.max_step=3", "did you mean max_epochs?"),
        ("objective.metric=nmi", "add objective.uses_labels=true"),
        ("seed=1,2", "add -m"),
        ("data.columns=[a", "cannot be read"),
        ("method.n_clusters=???", "n_clusters"),
        ("net.dims=[10,0]", "expected a list of a whole number >= 1"),
        ("method=kmeans net.dims=3", "net has no keys in this recipe"),
        ("method=kmeans pretrain=reconstruction", "add pretrain=none"),
        ("method=dec callbacks=none", "add callbacks=refresh"),
        ("method=scan callbacks=brb", "method=scan is more than centers; type callbacks=refresh"),
        ("method=vade callbacks=brb", "method=vade is more than centers; type callbacks=refresh"),
        ("published=3", "published: found 3"),
        ("method=vade net.code_activation=sigmoid", "type net.code_activation=null"),
        ("trainer.precision=bf16-mixed trainer.gradient_clip_val=1.0", "pretrain.optimizer.fused=false"),
    ],
)
def test_a_mistake_is_named_with_what_to_type_instead(override, expected):
    typed = override.split(" ")
    found = problems_of(*([] if any(text.startswith("method=") for text in typed) else ["method=dec"]), *typed)
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("typed", "source"),
    [
        (["data.path=x.csv"], "array"),
        (["data.columns=[a,b]", "seed=3"], "array"),
        (["data.path=x.csv", "data.column=body"], "texts"),
        (["experiment=choose_k", "data.path=x.csv"], "array"),
        (["data.csv=t.csv", "data.root=pics"], "datahack"),
    ],
)
def test_a_key_that_only_one_source_has_chooses_it(typed, source):
    result = compose_checked(typed)
    assert (result.problems, result.added, result.cfg.data.name) == ([], [f"data={source}"], source)
    again = compose_checked([*result.added, *typed])
    assert (again.problems, again.added) == ([], [])
    assert without_hydra(again.cfg) == without_hydra(result.cfg)


def test_the_values_of_a_sweep_choose_the_source_too():
    result = compose_checked(["data.path=a.csv,b.csv"], multirun=True)
    assert (result.problems, result.added) == ([], ["data=array"])
    assert [result.cfg.data.path, *(cfg.data.path for _, cfg in result.variants)] == ["a.csv", "b.csv"]


def test_nothing_is_added_to_what_was_typed_in_full():
    photos = ["experiment=photos", "data=images", "data.root=pics"]
    for typed in ([], ["data=array", "data.path=x.csv"], ["data.seed=3"], photos):
        assert compose_checked(typed).added == []


def test_all_mistakes_come_at_once():
    found = problems_of("methd=dec", "n_clusters=0", "fit.max_stepz=1", "data=mnits")
    assert [any(word in line for line in found) for word in ("methd", "n_clusters", "max_stepz", "mnits")] == [True] * 4


def test_every_value_of_a_sweep_is_looked_at():
    result = compose_checked(["method=kmeans,decc", "seed=0,-1"], multirun=True)
    assert any("decc" in line for line in result.problems)
    result = compose_checked(["method=kmeans,dec", "seed=0,-1,x"], multirun=True)
    wrong = [text for text, cfg in result.variants if config.problems(cfg)]
    assert wrong == ["seed=-1", "seed=x"]


def _targets(node):
    if OmegaConf.is_dict(node):
        if "_target_" in node:
            yield node
        for key in node:
            if not OmegaConf.is_interpolation(node, key):
                yield from _targets(node[key])


def test_a_glob_sweeps_over_the_options_that_exist():
    result = compose_checked(["method=glob(ae_*)"], multirun=True)
    assert result.problems == []
    assert [result.cfg.method.name, *(cfg.method.name for _, cfg in result.variants)] == ["ae_gmm", "ae_kmeans"]


def test_a_long_sweep_is_checked_quickly():
    result = compose_checked(["seed=range(0,300)"], multirun=True)
    assert len(result.variants) == 299
    assert result.variants[-1][1].seed == 299


def test_what_is_set_to_null_is_switched_off():
    switched_off = ("callbacks.cluster_metrics=null", "pretrain.callbacks.probe=null", "logger.tensorboard=null")
    assert problems_of("method=dec", *switched_off) == []


def test_an_experiments_own_sweep_gives_way_to_what_was_typed():
    cfg = compose_checked(["experiment=article"]).cfg
    three = "method=article/kmeans,article/ae_kmeans,article/dec"
    assert own_sweep(cfg, ["experiment=article"]) == ([three], [])
    chosen = own_sweep(cfg, ["experiment=article", "method=article/dec"])
    assert chosen == ([], ["~hydra.sweeper.params.method", "hydra.mode=RUN"])
    assert own_sweep(compose_checked([]).cfg, []) == ([], [])


def test_the_tutorials_recipes_are_the_tutorials():
    kmeans, coded, dec = (
        composed("experiment=article", f"method=article/{name}") for name in ("kmeans", "ae_kmeans", "dec")
    )
    assert kmeans.start.n_init == coded.start.n_init == dec.start.n_init == 20
    assert (coded.net.code_activation, coded.net.init) == ("sigmoid", "glorot_uniform")
    assert (dec.net.code_activation, dec.net.init) == (None, "fan_in_uniform")
    assert {(cfg.pretrain.max_epochs, cfg.pretrain.batch_size, cfg.pretrain.optimizer.lr) for cfg in (coded, dec)} == {
        (500, 2048, 0.001)
    }
    assert dict(dec.callbacks.target_refresh, _target_="") == {
        "_target_": "", "update_interval": 200, "tol": 0.001, "per_epoch": False, "reseed_empty": False,
    }  # fmt: skip
    assert (dec.fit.max_steps, dec.fit.optimizer.lr, dec.fit.optimizer.momentum) == (20000, 0.01, 0.9)


def test_published_scores_name_methods_that_the_experiment_sweeps():
    for experiment in ("article", "dec_mnist", "mnist", "fashion_mnist"):
        cfg = compose_checked([f"experiment={experiment}"]).cfg
        names = {composed(f"experiment={experiment}", f"method={method}").method.name
                 for method in cfg.hydra.sweeper.params.method.split(",")}  # fmt: skip
        assert set(cfg.published) <= names
        assert cfg.published
        assert {part for parts in cfg.published.values() for part in parts} <= {"fit", "holdout"}


def test_dec_keras_recipes_are_dec_keras():
    coded, dec = (composed("experiment=dec_mnist", f"method=dec_keras/{name}") for name in ("ae_kmeans", "dec"))
    assert coded.pretrain == dec.pretrain
    assert coded.net == dec.net
    assert (dec.net.code_activation, dec.net.init, list(dec.net.dims)) == (None, "fan_in_uniform", [500, 500, 2000, 10])
    sgd = dec.pretrain.optimizer
    assert (sgd._target_, sgd.lr, sgd.momentum) == ("torch.optim.SGD", 1.0, 0.9)
    assert (dec.pretrain.max_epochs, dec.pretrain.batch_size) == (300, 256)
    assert (dec.fit.max_steps, dec.fit.batch_size, dec.fit.shuffle) == (20000, 256, False)
    assert (dec.fit.optimizer._target_, dec.fit.optimizer.lr) == ("torch.optim.SGD", 0.01)
    assert (dec.callbacks.target_refresh.update_interval, dec.callbacks.target_refresh.tol) == (140, 0.001)
    assert (dec.data.dataset, dec.data.images, dec.data.holdout, dec.data.subset.size) == ("MNIST", "both", 0, None)
