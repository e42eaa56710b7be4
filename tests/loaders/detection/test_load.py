"""What searches of reference images leave in the database."""

import pytest

from tests.loaders.detection.made_up_search import Searches
from tests.roman_db.conftest import execute

VERSIONS = (
    "SELECT n_new, n_changed, n_unchanged, n_missing FROM roman.catalog_version ORDER BY catalog_version_id"
)


@pytest.fixture
def searches(database, monkeypatch):
    return Searches(database, monkeypatch)


def test_a_search_that_changes_nothing_says_what_is_missing(searches):
    """It shows fewer stars than the one before, and these no better: all that is new is what is not there."""
    searches.image(0)
    searches.search([0, 1, 2])
    assert execute(searches.url, VERSIONS) == [(3, 0, 0, 0)]
    objects = execute(searches.url, "SELECT * FROM roman.object ORDER BY object_id")
    image = searches.image(1)
    assert not searches.search([0, 1], error=0.03).failed
    assert execute(searches.url, VERSIONS) == [(3, 0, 0, 0), (0, 0, 2, 1)]
    assert execute(searches.url, "SELECT * FROM roman.object ORDER BY object_id") == objects
    states = execute(
        searches.url,
        "SELECT state, count(*) FROM roman.reference_source "
        f"WHERE reference_image_id = {image} GROUP BY 1 ORDER BY 1",
    )
    assert states == [("known", 2), ("missing", 1)]


def test_each_search_has_its_version(searches):
    """Also one that confirms all that is known: every run of the table says how many objects it looked at."""
    for span in range(3):
        searches.image(span)
        searches.search([0, 1, 2, 3], error=0.02 + 0.01 * span)
    assert execute(searches.url, VERSIONS) == [(4, 0, 0, 0), (0, 0, 4, 0), (0, 0, 4, 0)]
    names = execute(searches.url, "SELECT DISTINCT name FROM roman.catalog_version")
    assert names == [("reference",)]
