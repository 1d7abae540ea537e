"""Numbers of clusters: the preference of each criterion, the advice, and a real sweep that finds three groups."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from deepcluster_pl.runs.n_clusters_sweep import Candidate, advice, preferences, read_candidates


def number(k: int, silhouette: float | None, bic: float | None, stability: float | None) -> Candidate:
    return Candidate(k, 3, silhouette, bic, stability)


def test_each_criterion_prefers_its_own_best_and_one_without_values_none():
    tried = [number(2, 0.3, -5.0, None), number(3, 0.2, -9.0, None), number(4, None, -7.0, None)]
    assert preferences(tried) == {"silhouette": 2, "bic": 3}


@pytest.mark.parametrize(
    ("tried", "text"),
    [
        ([number(2, 0.5, 9, 0.7), number(3, 0.6, 8, 0.9), number(4, 0.4, 9, 0.5)], "n_clusters=3: all three"),
        (
            [number(2, 0.7, 9, 0.7), number(3, 0.6, 8, 0.9), number(4, 0.4, 9, 0.5)],
            "n_clusters=3: silhouette prefers 2, BIC prefers 3, stability prefers 3; look at both",
        ),
        (
            [number(2, 0.7, 9, 0.5), number(3, 0.6, 8, 0.7), number(4, 0.4, 9, 0.9), number(5, 0.1, 9, 0.1)],
            "n_clusters=3: silhouette prefers 2, BIC prefers 3, stability prefers 4; the data gives no clear answer",
        ),
        ([number(2, 0.1, 9, 0.1), number(3, 0.2, 8, 0.9)], "n_clusters=3: all three criteria prefer it; 3 is the"),
        ([number(2, None, None, None)], "no advice: no run was scored"),
    ],
)  # fmt: skip
def test_the_advice_states_how_far_to_trust_it(tried, text):
    assert advice(tried).startswith(text)


def test_a_sweep_over_three_groups_finds_three(cli_run, deepcluster, tmp_path):
    np.save(tmp_path / "x.npy", make_blobs(120, 6, centers=3, random_state=0)[0])
    run = cli_run(
        "experiment=choose_k", "data=array", "data.path=x.npy", "method=gmm", "n_clusters=2,3,4,5", "seed=0,1",
        "trainer.accelerator=cpu", "-m",
    )  # fmt: skip
    assert run.code == 0, run.err
    assert "how many clusters?" in run.out
    (tried,) = read_candidates(run.folder).values()
    assert [each.n_clusters for each in tried] == [2, 3, 4, 5]
    assert all(each.n_runs == 2 and None not in (each.silhouette, each.bic, each.stability) for each in tried)
    assert advice(tried) == "n_clusters=3: all three criteria prefer it"
    assert "n_clusters=3: " in deepcluster("choose-k", run.folder).out


def test_a_folder_without_such_a_sweep_is_refused(deepcluster, tmp_path):
    refused = deepcluster("choose-k", tmp_path)
    assert refused.code == 1
    assert "found no sweep over several n_clusters" in refused.err
