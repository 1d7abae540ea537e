"""The verdict: what was found, how it compares, whether to trust it, and a command that works as it is printed."""

from __future__ import annotations

import shlex

import pytest

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.reporting.verdict import judge
from deepcluster_pl.runs.conclusion import with_method


def block(acc=None, nmi=None, sizes=(40, 35, 25), ari=None):
    ari = nmi if ari is None else ari
    return {"n": sum(sizes), "acc": acc, "nmi": nmi, "ari": ari, "cluster_sizes": list(sizes), "collapsed": 0 in sizes}


def row(gap=0.0, together=0.9, collapsed=False):
    return {"gap": gap, "gap_error": 0.01, "together": together, "collapsed": collapsed}


def scores(fit, baselines=None, **changes):
    return {
        "fit": fit, "holdout": None, "stopped": "max_steps", "kept": "fit",
        "baselines": {"protocol": None, **{key: {"fit": value} for key, value in (baselines or {}).items()}},
        "criteria": {"rows": {"method": row()}, "agreement": None}, **changes,
    }  # fmt: skip


def test_a_deep_result_below_a_simple_one_is_said_to_be_so():
    verdict = judge(scores(block(0.78, 0.77), {"kmeans_raw": block(0.79, 0.74), "graph": block(0.8, 0.85)}), 0)
    assert verdict.compared == (
        "A simple method did better: a graph of neighbors has NMI 0.850 and ARI 0.850, this result 0.770 and 0.770 "
        "(1 is perfect). The training was not worth its time."
    )
    assert (verdict.better, verdict.level) == ("graph", "fair")
    assert "78% of the labeled samples match (ACC 0.780, NMI 0.770)" in verdict.trust


def test_a_result_above_or_at_the_simple_ones_is_said_to_be_so_and_unknown_baselines_count():
    better = judge(scores(block(0.95, 0.92), {"kmeans_raw": block(0.79, 0.74)}), 0)
    assert better.compared.startswith("Better than every simple method that was tried")
    assert (better.better, better.level) == (None, "good")
    same = judge(scores(block(0.95, 0.92), {"new_method": block(0.95, 0.925)}), 0)
    assert same.compared.startswith("About as good as the best simple method: new method has NMI 0.925 and")
    mixed = judge(scores(block(0.89, 0.914, ari=0.837), {"pca_gmm": block(0.94, 0.901, ari=0.88)}), 0)
    assert mixed.compared.startswith("About as good as the best simple method: a mixture on components has")
    assert judge(scores(block(0.95, 0.92)), 0).compared == ""


def test_held_out_samples_decide_where_there_are_some_and_a_kept_start_is_told():
    found = judge(scores(block(0.95, 0.92), holdout=block(0.6, 0.4), kept="start"), 0)
    assert "have little to do with the labels: 60% of the held-out samples" in found.trust
    assert found.level == "poor"
    assert found.compared == "Training made the groups worse, so it was undone: these are the groups from before it."
    followed = judge(scores(block(0.95, 0.92), kept="start", teacher={"fit": block(0.9, 0.8)}), 0)
    assert followed.compared.endswith("it was undone, and a student learned the groups from before it.")


def test_a_simple_method_that_was_chosen_is_no_rival_of_itself():
    own = block(0.95, 0.92)
    found = judge(scores(own, {"kmeans_raw": own}, stopped="none", choice={"name": "kmeans", "sureness": 1.0}), 0)
    assert found.compared == (
        "A simple method was chosen, and it is the best of them: k-means on the input "
        "(NMI 0.920 and ARI 0.920; 1 is perfect)."
    )
    rows = {"method": row(0.0), "kmeans_raw": row(0.0), "graph": row(0.2)}
    plain = scores(block(), criteria={"rows": rows, "agreement": 0.9}, choice={"name": "kmeans", "sureness": 1.0})
    assert judge(plain, 0).compared == "A simple method was chosen: these are the groups of k-means on the input."
    assert "no sample could as well be in another group" in judge(plain, 0).trust


def candidate(name, share, score, teacher=None):
    return {"name": name, "share": share, "score": score, "collapsed": False, "teacher": teacher}


@pytest.mark.parametrize(
    ("chosen", "end"),
    [
        ("kmeans", "but are nearly the same and less simple."),
        ("graph_20", "but the other candidates agree less with them."),
        ("pca_gmm", "these are the groups of a mixture on components."),
        ("pca_gmm_student", "it learned the groups of the best candidate, a mixture on components."),
    ],
)
def test_the_verdict_of_an_automatic_run_prefers_nothing_that_was_tried_and_says_why_it_was_passed_over(chosen, end):
    tried = [candidate("kmeans", 0.754, 0.85), candidate("pca_gmm", 0.761, 0.856), candidate("graph_20", 0.75, 0.86)]
    tried.append(candidate("pca_gmm_student", None, None, "pca_gmm"))
    rows = {"method": row(0.1), "pca_gmm": row(0.0)}
    choice = {"name": chosen, "sureness": 1.0}
    found = judge(scores(block(), criteria={"rows": rows, "agreement": 0.9}, choice=choice, candidates=tried), 0)
    assert found.better is None
    assert found.compared.endswith(end)
    assert "looks better" not in found.compared


def test_groups_that_are_nearly_the_same_and_within_the_error_are_as_good_as_those_of_a_simple_method():
    rows = {"method": row(0.02), "graph": row(0.0) | {"alike": 0.97, "error": 0.03}}
    same = judge(scores(block(), criteria={"rows": rows, "agreement": 0.9}), 0)
    assert (same.better, same.compared) == (None, "It looks as good as the best simple method, a graph of neighbors.")
    rows["graph"]["alike"] = 0.8
    assert judge(scores(block(), criteria={"rows": rows, "agreement": 0.9}), 0).better == "graph"


def test_without_labels_neighbors_and_simple_methods_decide():
    rows = {"method": row(0.3), "start": row(0.0), "graph": row(0.0, collapsed=True), "kmeans_raw": row(0.1)}
    found = judge(scores(block(), criteria={"rows": rows, "agreement": 0.85}), 3)
    assert found.compared.startswith("A simple method looks better: the groups of k-means on the input")
    assert (found.better, found.level) == ("kmeans", "fair")
    assert "simple methods find nearly the same groups (agreement 0.85 of 1)" in found.trust
    rows["kmeans_raw"] = row(0.305)
    close = judge(scores(block(), criteria={"rows": rows, "agreement": 0.4}), 3)
    assert close.compared == "It looks as good as the best simple method, k-means on the input."
    assert close.trust.startswith("Do not rely on these groups before you have looked at them: 90% of")
    rows["kmeans_raw"] = row(0.5)
    steady = judge(scores(block(), criteria={"rows": rows, "agreement": 0.9}), 3)
    assert (steady.level, steady.better) == ("good", None)
    assert judge(scores(block(), criteria={"rows": rows, "agreement": 0.9}), 50).level == "poor"


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ((50, 50), "Found 2 groups of 50 samples each: sizes are even."),
        ((1400, 90, 10), "Found 3 groups of 10 to 1,400 samples: sizes are very uneven."),
        ((70, 30, 0, 0), "Found 2 groups of 30 and 70 samples: sizes are fairly even; 2 more are empty."),
        ((80, 20), "Found 2 groups of 20 and 80 samples: sizes are uneven."),
        ((4, 1), "Found 2 groups of 1 and 4 samples: few samples for so many groups."),
        ((100, 0), "All 100 samples are in one group: nothing was separated."),
    ],
)
def test_sizes_are_said_in_words(sizes, text):
    found = judge(scores(block(0.9, 0.9, sizes)), 0)
    assert found.found == text
    assert found.level == ("poor" if 0 in sizes else "good")


def test_the_command_of_another_method_keeps_the_data_and_the_recipes_and_drops_what_the_first_method_had(tmp_path):
    (tmp_path / "my recipes").mkdir()
    typed = [
        "--config-dir",
        str(tmp_path / "my recipes"),
        "data=array",
        "data.path='my data/x (1).csv'",
        "n_clusters=3",
    ]
    own = ["method=dec", "net.dims=[16,4]", "fit.max_steps=9", "optimizer@fit.optimizer=adam", "whiten=1.0", "seed=4"]
    command = with_method(shlex.join(["python", "-m", "deepcluster_pl", *typed, *own]), "kmeans")
    assert shlex.split(command) == ["deepcluster", *typed, "seed=4", "method=kmeans"]
    assert compose_checked(shlex.split(command)[3:], config_dir=typed[1]).problems == []
    assert with_method("python -m deepcluster_pl data=wine", "no_such_method") is None
