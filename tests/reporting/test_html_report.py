"""report.html: one file that needs nothing else, with the results of a run, safe from hostile names."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from helpers.command_line import TINY_DEC, TINY_RAW

from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.reporting.html_report.summary_text import summary_sentences, warning_sentences
from deepcluster_pl.reporting.html_report.svg_charts import draw_line_chart
from deepcluster_pl.reporting.html_report.typical_features import find_typical_columns, find_typical_features

HOSTILE = "<script>alert(1)</script>"


def one_by_one(x, clusters, k):
    """Standard deviations between the mean of a cluster's samples and everybody's, feature by feature."""
    apart = []
    for column in x.T.tolist():
        mean = sum(column) / len(column)
        spread = (sum((value - mean) ** 2 for value in column) / len(column)) ** 0.5
        own = [value for value, cluster in zip(column, clusters, strict=True) if cluster == k]
        apart.append((sum(own) / len(own) - mean) / spread if spread else 0.0)
    return apart


def test_typical_features_are_those_whose_mean_is_farthest_from_everybodys():
    rng = np.random.default_rng(0)
    x, clusters = rng.normal(size=(60, 5)), rng.integers(0, 3, size=60)
    x[:, 4] = 7.0
    for k, found in enumerate(find_typical_features(x, clusters, 4, list("abcde"), 5)[:3]):
        wanted = one_by_one(x, clusters.tolist(), k)
        assert [feature.name for feature in found] == [
            "abcde"[i] for i in sorted(range(4), key=lambda i: -abs(wanted[i]))
        ]
        np.testing.assert_allclose([f.difference for f in found], [wanted["abcde".index(f.name)] for f in found])
    assert find_typical_features(x, clusters, 4, list("abcde"), 5)[3] == []


def test_a_chart_is_thinned_keeps_its_end_and_leaves_out_what_has_no_logarithm():
    chart = draw_line_chart({"mse": {step: 1.0 / (step + 1) for step in range(5000)}}, log=True)
    points = re.search(r'points="([^"]+)"', chart)[1].split()
    assert 200 <= len(points) <= 202
    assert "4,999" in chart
    assert draw_line_chart({"kl": {0: 0.0, 1: float("nan")}}, log=True) == ""


def scores(**changes):
    block = {
        "n": 1000, "cluster_sizes": [600, 395, 5], "collapsed": False, "n_empty": 0, "acc": None, "silhouette": 0.2,
    }  # fmt: skip
    return {
        "fit": block | changes.pop("fit", {}), "holdout": None, "start": {"fit": block | {"silhouette": 0.3}},
        "baselines": {"kmeans_raw": None}, "n_clusters": 3, "n_clusters_found": None,
        "data": "d", "method": "dec", "stopped": "max_steps",
        "steps": 9, **changes,
    }  # fmt: skip


def test_warnings_name_what_to_look_at_and_a_sound_run_has_none():
    found = " ".join(warning_sentences(scores(), 400, 0.2))
    for text in (
        "Very small: cluster 2",
        "Not converged: 20.0%",
        "More than a third",
        "The silhouette of the initialization",
    ):
        assert text in found
    sound = scores(fit={"cluster_sizes": [400, 300, 300], "silhouette": 0.3}, stopped="tol")
    assert warning_sentences(sound, 10, 0.001) == []
    empty = scores(fit={"cluster_sizes": [500, 500, 0], "n_empty": 1})
    assert "1 of 3 clusters hold no sample" in warning_sentences(empty, 0, 0.0)[0]


def test_an_estimated_number_comes_with_the_next_best_and_a_warning_where_it_is_faint():
    found = {"n_clusters": 3, "candidates": [2, 3, 4], "agreement": [0.9, 0.8, 0.5], "reference": [0.85, 0.3, 0.3],
             "error": [0.01] * 3, "n": 900}  # fmt: skip
    text = " ".join(summary_sentences(scores(n_clusters_found=found), 0))
    assert (
        "estimated: 3 out of 2 to 4. With it, two halves of the data agree by 0.80, data without groups by 0.30. "
        "The next best number is 2." in text
    )
    assert "there may be no groups" not in " ".join(warning_sentences(scores(n_clusters_found=found), 0, 0.0))
    faint = found | {"reference": [0.88, 0.75, 0.45]}
    assert "there may be no groups" in " ".join(warning_sentences(scores(n_clusters_found=faint), 0, 0.0))
    alone = {key: value[:1] if isinstance(value, list) else value for key, value in found.items()} | {"n_clusters": 2}
    assert "2, the only one that was tried. With it, two halves of the data agree by 0.90" in " ".join(
        summary_sentences(scores(n_clusters_found=alone), 0)
    )


def test_the_page_of_a_table_names_its_columns_runs_nothing_of_the_users_and_loads_nothing(cli_run, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(90, 6)) + 4 * rng.integers(0, 3, size=(90, 1)), columns=[*"abcde", HOSTILE])
    frame["name"] = [f"{HOSTILE}{i}" for i in range(90)]
    frame["kind"] = [HOSTILE if i % 2 else 'b" onmouseover="x' for i in range(90)]
    frame.to_csv(tmp_path / "x.csv", index=False)
    shape = [text for text in TINY_DEC if not text.startswith("data")]
    run = cli_run(*shape, "data=array", "data.path=x.csv", "data.id_column=name", "data.label_column=kind")
    assert run.code == 0, run.err
    page = (run.folder / "report.html").read_text()
    assert "<script>alert" not in page
    assert 'onmouseover="x' not in page
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert re.findall(r'(?:src|href)="(?!data:|#)([^"]+)"', page) == [
        "assignments.csv", "assignments.csv", "groups.csv", "levels.json", "scores.json", "model/", "figures/",
        "config/config.yaml", "MODEL_CARD.md",
    ]  # fmt: skip
    assert "http" not in page
    assert "Typical features" in page
    assert len(re.findall(r'<article class="card"', page)) == len([n for n in run.scores["fit"]["cluster_sizes"] if n])
    assert "seed 0" in (run.folder / "MODEL_CARD.md").read_text()


def test_the_page_of_images_shows_them_and_stays_small(cli_run):
    run = cli_run(
        "data=digits", "method=idec", "n_clusters=12", "pretrain.max_epochs=1", "fit.max_steps=2", "net.dims=[16,4]",
        "trainer.accelerator=cpu", "data.holdout=0.2",
    )  # fmt: skip
    assert run.code == 0, run.err
    page = (run.folder / "report.html").read_text()
    assert len(page) < 5e6
    assert page.count("data:image/png;base64,") > 100
    assert "Decoded center of cluster" in page
    assert "held out" in page


def test_the_model_card_takes_no_text_for_markup_and_its_command_stays_in_its_block(cli_run):
    run = cli_run(*TINY_RAW, "method=kmeans", "data.name='<img src=x onerror=alert(1)> `a|b` [c](d)'", name="card")
    assert run.code == 0, run.err
    card = (run.folder / "MODEL_CARD.md").read_text()
    before, _, after = card.partition("## How it was made")
    assert "<img" not in before
    assert "&lt;img src=x onerror=alert(1)&gt; \\`a\\|b\\` \\[c\\](d)" in before
    command = [line for line in after.splitlines() if "<img" in line]
    assert len(command) == 1
    assert command[0].startswith("    ")


def test_a_table_is_described_in_its_own_units_and_categories(tmp_path, common):
    content = (
        "income,city,joined\n" + "61000,Lyon,2024-01-05\n62580,Lyon,2024-01-07\n" * 9 + "9000,Graz,2022-06-01\n" * 6
    )
    (tmp_path / "t.csv").write_text(content)
    data = ArrayData(str(tmp_path / "t.csv"), None, None, None, **common())
    data.setup()
    x = data.part("fit").load_all()
    typical = find_typical_columns(data.preparation, x, (x[:, 0] < 10_000).astype(int), 2, 6)
    rich, poor = ({feature.name: (feature.value, feature.of_all) for feature in features} for features in typical)
    assert rich == {
        "income": ("61,790", "48,592"), "city": ("Lyon 100%", "Lyon 75%"), "joined": ("2024-01-06", "2023-08-13")
    }  # fmt: skip
    assert poor["city"] == ("Lyon 0%", "Lyon 75%")
