"""Options of data sources: one that does not exist is refused by every source, with the nearest that does."""

from __future__ import annotations

import inspect

import pytest

from deepcluster_pl.data import sources
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.options import CommonOptions, existing_file
from deepcluster_pl.data.sources import Blobs, SklearnDataset
from deepcluster_pl.errors import UserError

SOURCES = [value for name in sources.__all__ if inspect.isclass(value := getattr(sources, name))]


def own_options(source):
    """Names of a source's own options, each as nothing."""
    parameters = inspect.signature(source).parameters.values()
    return {parameter.name: None for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD}


def test_all_sources_are_looked_at():
    assert len(SOURCES) >= 6
    assert all(issubclass(source, ClusteringData) for source in SOURCES)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", sorted(CommonOptions.__annotations__))
def test_a_mistyped_option_is_refused_with_the_nearest_one(source, name, common):
    typo = name[:-1] + name[-1] * 2
    with pytest.raises(
        UserError, match=rf"^data\.{typo}: {source.__name__} has no such option; did you mean {name}\?$"
    ):
        source(**own_options(source), **common(**{typo: 0}))


def test_the_nearest_may_be_an_option_of_the_source_alone(common):
    with pytest.raises(UserError, match=r"data\.n_center: Blobs has no such option; did you mean n_centers\?"):
        Blobs(**own_options(Blobs), **common(n_center=3))


def test_a_name_like_no_other_is_refused_with_all_there_are(common):
    with pytest.raises(UserError, match=r"no such option; choose from dataset, name, subset, holdout, .*residency$"):
        SklearnDataset("digits", **common(zzz=1))


@pytest.mark.parametrize("name", sorted(CommonOptions.__annotations__))
def test_a_missing_option_is_named(name, common):
    options = {key: value for key, value in common().items() if key != name}
    with pytest.raises(UserError, match=f"^SklearnDataset lacks the option {name}$"):
        SklearnDataset("digits", **options)


@pytest.mark.parametrize(
    ("path", "pattern"), [(None, "missing"), ("", "missing"), (".", "a folder"), ("no", "no such")]
)
def test_path_that_is_no_file_is_refused_by_its_option(path, pattern):
    with pytest.raises(UserError, match=rf"data\.csv.*{pattern}"):
        existing_file(path, "data.csv")
