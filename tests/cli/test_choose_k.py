"""How many clusters: what each criterion prefers, the advice, and a real sweep that finds three groups."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from deepcluster_pl.runs.n_clusters_sweep import Case, advice, cases, votes


def case(k: int, silhouette: float | None, bic: float | None, stability: float | None) -> Case:
    return Case(k, 3, silhouette, bic, stability)


def test_each_criterion_prefers_its_own_best_and_one_without_values_none():
    found = [case(2, 0.3, -5.0, None), case(3, 0.2, -9.0, None), case(4, None, -7.0, None)]
    assert votes(found) == {"silhouette": 2, "bic": 3}


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ([case(2, 0.5, 9, 0.7), case(3, 0.6, 8, 0.9), case(4, 0.4, 9, 0.5)], "n_clusters=3: all three"),
        (
            [case(2, 0.7, 9, 0.7), case(3, 0.6, 8, 0.9), case(4, 0.4, 9, 0.5)],
            "n_clusters=3: silhouette prefers 2, BIC prefers 3, stability prefers 3; look at both",
        ),
        (
            [case(2, 0.7, 9, 0.5), case(3, 0.6, 8, 0.7), case(4, 0.4, 9, 0.9), case(5, 0.1, 9, 0.1)],
            "n_clusters=3: silhouette prefers 2, BIC prefers 3, stability prefers 4; the data does not say clearly",
        ),
        ([case(2, 0.1, 9, 0.1), case(3, 0.2, 8, 0.9)], "n_clusters=3: all three criteria prefer it; 3 is the"),
        ([case(2, None, None, None)], "no advice: no run was scored"),
    ],
)  # fmt: skip
def test_the_advice_says_how_far_to_trust_it(found, text):
    assert advice(found).startswith(text)


def test_a_sweep_over_three_groups_finds_three(cli_run, deepcluster, tmp_path):
    np.save(tmp_path / "x.npy", make_blobs(120, 6, centers=3, random_state=0)[0])
    run = cli_run(
        "experiment=choose_k", "data=array", "data.path=x.npy", "method=gmm", "n_clusters=2,3,4,5", "seed=0,1",
        "trainer.accelerator=cpu", "-m",
    )  # fmt: skip
    assert run.code == 0, run.err
    assert "how many clusters?" in run.out
    (found,) = cases(run.folder).values()
    assert [one.n_clusters for one in found] == [2, 3, 4, 5]
    assert all(one.n_runs == 2 and None not in (one.silhouette, one.bic, one.stability) for one in found)
    assert advice(found) == "n_clusters=3: all three criteria prefer it"
    assert "n_clusters=3: " in deepcluster("choose-k", run.folder).out


def test_a_folder_without_such_a_sweep_is_told(deepcluster, tmp_path):
    refused = deepcluster("choose-k", tmp_path)
    assert refused.code == 1
    assert "found no sweep over several n_clusters" in refused.err
