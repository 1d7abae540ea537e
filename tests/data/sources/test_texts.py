"""Texts: a column, lines or files become components of their words, and groups are named by them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from deepcluster_pl.data.options import CommonOptions
from deepcluster_pl.data.sources.texts import Texts
from deepcluster_pl.data.split import Subset
from deepcluster_pl.data.tables.preparation import Preparation
from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.naming import name_by_columns

TOPICS = {
    "parcel": ["parcel", "courier", "late", "tracking", "shipment", "arrived", "warehouse", "doorstep"],
    "card": ["card", "refund", "invoice", "charged", "bank", "payment", "bill", "transaction"],
    "login": ["login", "password", "email", "reset", "account", "locked", "code", "username"],
}
COMMON = ["the", "is", "and", "my", "please", "it", "was", "not"]


def made_up(n=40):
    """Return texts of three topics, and the topic of each."""
    random = np.random.default_rng(0)
    texts, labels = [], []
    for i in range(3 * n):
        topic = list(TOPICS)[i % 3]
        words = [random.choice(COMMON if random.random() < 0.5 else TOPICS[topic]) for _ in range(12)]
        texts.append(" ".join(words))
        labels.append(topic)
    return texts, labels


def source(path, preparation=None, **options):
    common = CommonOptions(
        name="texts", subset=Subset(None, False, 0), holdout=0.0, split="random", seed=0, scale="none", num_workers=0,
        residency="auto",
    )  # fmt: skip
    own = {"column": None, "label_column": None, "id_column": None, "labels": "none"} | options
    data = Texts(str(path), **own, **common)
    data.preparation = preparation
    data.setup()
    return data


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    file = tmp_path_factory.mktemp("texts") / "messages.csv"
    texts, labels = made_up()
    rows = [f'{i},"{text}",{label}' for i, (text, label) in enumerate(zip(texts, labels, strict=True))]
    file.write_text("\n".join(["number,body,topic", *rows]) + "\n")
    return file


def test_rows_are_components_of_tf_idf_divided_by_their_length(table):
    data = source(table, label_column="topic")
    x = data.part("fit").take(np.arange(120))
    counted = TfidfVectorizer(min_df=2, max_df=0.5, sublinear_tf=True).fit_transform(made_up()[0]).toarray()
    left, values, _ = np.linalg.svd(counted, full_matrices=False)
    places = (left * values)[:, : x.shape[1]]
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    np.testing.assert_allclose(x @ x.T, places @ places.T, atol=0.02)  # the signs of components are free
    assert data.part("fit").blocks is None
    assert sorted(set(data.part("fit").labels)) == ["card", "login", "parcel"]


def test_lines_and_files_give_what_a_column_gives(table, tmp_path):
    texts, _ = made_up()
    (tmp_path / "lines.txt").write_text("\n".join(texts[:60]) + "\n\n" + "\n".join(texts[60:]))
    for i, text in enumerate(texts):
        file = tmp_path / "folder" / ("even" if i % 2 == 0 else "odd") / f"{i:03}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "folder" / "link.txt").symlink_to(table)
    expected = source(table, column="body").part("fit")
    lines, files = source(tmp_path / "lines.txt").part("fit"), source(tmp_path / "folder", labels="folder").part("fit")
    x = expected.take(np.arange(120))
    np.testing.assert_array_equal(lines.take(np.arange(120)), x)
    assert list(lines.ids)[58:62] == [59, 60, 62, 63]
    assert source(tmp_path / "folder").excerpt("fit", 1) == texts[2]
    order = [2 * i for i in range(60)] + [2 * i + 1 for i in range(60)]
    assert files.ids[0] == "even/000.txt"
    assert set(files.labels) == {"even", "odd"}
    np.testing.assert_allclose(np.abs(files.take(np.arange(120)) @ files.take(np.arange(120)).T),
                               np.abs(x[order] @ x[order].T), atol=0.02)  # fmt: skip


def test_groups_are_named_by_their_words(table):
    data = source(table, label_column="topic")
    names = name_by_columns(data, np.arange(120) % 3, 3)
    assert [any(word in name for word in TOPICS[topic]) for name, topic in zip(names, TOPICS, strict=True)] == [
        True
    ] * 3
    assert not any(set(name.split(", ")) & set(COMMON) for name in names)


def test_a_saved_preparation_gives_new_texts_the_same_places(table, tmp_path):
    data = source(table)
    saved = Preparation.from_json(json.loads(json.dumps(data.preparation.to_json())))
    texts, _ = made_up()
    (tmp_path / "new.txt").write_text("\n".join([*texts[:5], "entirely unknown words"]))
    new = source(tmp_path / "new.txt", saved, column="body").part("fit").take(np.arange(6))
    np.testing.assert_allclose(new[:5], data.part("fit").take(np.arange(5)), atol=1e-5)
    np.testing.assert_allclose(new[5], saved.encoders[0].middle, atol=1e-6)  # as far from every group
    np.testing.assert_allclose(np.linalg.norm(new, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("t.csv", "a,b\n1,2\n3,4\n", {}, "no column holds text; found a, b"),
        ("t.csv", "a,b\n1,hello you\n3,good bye\n", {"column": "bb"}, "no column 'bb'"),
        ("t.txt", "\n\n", {}, "holds no text"),
        ("t.txt", "one\ntwo\n", {"column": "body"}, "data.column is for tables"),
        ("t.bin", "one\n", {}, "found the suffix '.bin', expected a table"),
        ("folder/t.pdf", "one\n", {}, "found no files of .txt"),
    ],
)
def test_a_wrong_path_or_column_is_said_in_a_line(tmp_path, name, content, options, message):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    with pytest.raises(UserError, match=message):
        source(file.parent if "/" in name else file, **options)
