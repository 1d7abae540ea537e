"""The estimator takes a DataFrame as it is: categories, dates, gaps; predict, save and load prepare it alike."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from deepcluster_pl.estimator import DeepClustering
from scripts.examples.customers import HEADER, make_customers
from scripts.examples.mixed_tables import make_loans


@pytest.fixture(scope="module")
def customers():
    frame = pd.DataFrame(make_customers(300, 3), columns=HEADER).replace("", None)
    for name in ("age", "income", "visits"):
        frame[name] = frame[name].astype(float)
    frame["joined"] = pd.to_datetime(frame["joined"])
    frame["plan"] = frame["plan"].astype("category")
    return frame


@pytest.fixture(scope="module")
def fitted(customers):
    with pytest.warns(UserWarning, match=r"columns left out: customer_id \(every row has its own\)"):
        return DeepClustering("kmeans", n_clusters=4, random_state=0).fit(customers.drop(columns="group"))


def test_a_dataframe_with_categories_dates_and_gaps_goes_straight_in(fitted):
    assert fitted.columns_ == {
        "age": "number", "income": "number", "visits": "number", "plan": "category", "city": "category",
        "joined": "date", "customer_id": "identifier",
    }  # fmt: skip
    assert fitted.n_features_in_ == 7
    assert len(set(fitted.labels_)) == 4


def test_columns_in_any_order_and_others_beside_them_predict_alike(fitted, customers):
    turned = customers[customers.columns[::-1]].assign(more="x").drop(columns=["group", "customer_id"])
    assert (fitted.predict(turned) == fitted.labels_).all()


def test_a_saved_estimator_prepares_alike(fitted, customers, tmp_path):
    fitted.save(tmp_path / "saved")
    loaded = DeepClustering.load(tmp_path / "saved")
    assert (loaded.predict(customers) == fitted.labels_).all()
    assert loaded.columns_ == fitted.columns_


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="city"), "X has no column 'city'"),
        (lambda f: f.assign(age=["old"] * len(f)), "X, row 0: column 'age' holds 'old', expected a number"),
        (lambda f: f.assign(joined=["soon"] * len(f)), "X, row 0: column 'joined' holds 'soon', expected a date"),
        (lambda f: f.assign(age=np.inf), "X, row 0: column 'age' holds inf"),
        (lambda f: np.zeros((3, 7)), "found ndarray, expected a DataFrame with the columns that were fitted"),
    ],
)
def test_what_does_not_fit_is_one_line_with_column_and_row(fitted, customers, change, words):
    with pytest.raises(ValueError, match=words) as error:
        fitted.predict(change(customers))
    assert "\n" not in str(error.value)


def test_plain_numbers_in_a_dataframe_are_what_an_array_is():
    x = np.random.default_rng(0).normal(size=(40, 3))
    frame = pd.DataFrame(x, columns=["a", "id", "c"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        ours, theirs = (DeepClustering("kmeans", n_clusters=2, random_state=0).fit(data) for data in (frame, x))
    assert (ours.labels_ == theirs.labels_).all()
    assert not hasattr(ours, "columns_")


def test_bfloat16_tensors_are_numbers_like_any_other():
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    ours, theirs = (DeepClustering("kmeans", n_clusters=2, random_state=0).fit(t) for t in (x.bfloat16(), x))
    assert (ours.labels_ == theirs.labels_).mean() > 0.9


def test_groups_of_mixed_columns_are_counted_in_what_columns_share():
    table = make_loans(800, 0)
    model = DeepClustering("kmeans", n_clusters="auto", random_state=0).fit(table.drop(columns="group"))
    assert len(set(model.labels_)) == 2  # halves agree on four groups of the levels of its categories
    assert adjusted_rand_score(table["group"], model.labels_) > 0.8


def test_a_mixed_error_can_be_chosen_for_a_table_in_python():
    table = make_loans(120, 0).drop(columns="group")
    short = {"pretrain.max_epochs": 2, "net.dims": [8, 2], "fit.max_steps": 2}
    codes = [
        DeepClustering("idec", n_clusters=2, random_state=0, overrides={**short, "table_error": error}).fit_transform(
            table
        )
        for error in ("squared", "mixed")
    ]
    assert not (codes[0] == codes[1]).all()
