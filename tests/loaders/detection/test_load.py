"""What searches of reference images leave in the database."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from loaders.astrometry.load import StoredExposure, read_stars
from loaders.detection.load import catalog_unit, pending_catalogs
from loaders.eight_day.tasks import arguments
from loaders.rejection import Rejected
from roman_db.load_run import load_run
from tests.loaders.detection.made_up_search import FRAME, Searches, X, Y
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


def test_what_an_image_showed_that_was_made_again_gives_way(searches):
    """To what the new one shows, though that claims less; an image of another span replaces nothing."""
    stored = (
        "SELECT o.ra_err, f.psf_flux_err FROM roman.object o JOIN roman.object_flux f USING (object_id) "
        "ORDER BY o.object_id"
    )
    searches.image(0)
    searches.search([0, 1], error=0.02)
    first = execute(searches.url, stored)
    searches.image(1)
    searches.search([0, 1], error=0.03)
    assert execute(searches.url, stored) == first
    searches.image(0)
    searches.search([0, 1], error=0.04)
    assert (np.array(execute(searches.url, stored)) > 1.3 * np.array(first)).all()


@pytest.mark.parametrize(("chi2", "is_refused"), [(99.0, False), (101.0, True)])
def test_a_search_that_does_not_describe_the_image_leaves_nothing(searches, chi2, is_refused):
    searches.image(0)
    report = searches.search([0, 1, 2], reduced_chi2=chi2)
    assert bool(report.failed) == is_refused
    stored = "SELECT (SELECT count(*) FROM roman.object), (SELECT count(*) FROM roman.reference_source), "
    assert execute(searches.url, stored + "(SELECT count(*) FROM roman.catalog_version)") == [
        (0, 0, 0) if is_refused else (3, 3, 1)
    ]
    # The image waits to be made again, or searched with another PSF.
    waiting = pending_catalogs(arguments())
    assert bool(waiting) == is_refused
    for unit in waiting:
        with (
            load_run("test", {}) as run,
            pytest.raises(Rejected, match="reduced chi-square 101") as one,
        ):
            catalog_unit(unit, run, lambda *_: None)
        assert one.value.code == "poor_search"
        assert one.value.where == unit.name


def photometered(searches):
    """Rows of the stars that an exposure of the place photometers, by where they are."""
    blank = dict.fromkeys((field.name for field in dataclasses.fields(StoredExposure)), 0.0)
    here = {"ra": FRAME.ra, "dec": FRAME.dec, "n_x": 40, "n_y": 40, "path": Path("x.asdf")}
    place = read_stars("F146", [StoredExposure(**blank | here)]).astrometry
    x, y = FRAME.projection.to_pixel(place.ra, place.dec)
    distance = np.hypot(x[:, None] - X, y[:, None] - Y)
    assert (distance.min(axis=1) < 0.1).all()
    return sorted(distance.argmin(axis=1).tolist())


@pytest.mark.heavy
def test_what_only_an_image_showed_that_was_made_and_searched_again_is_not_photometered(searches):
    searches.image(0)
    searches.search([0, 1, 2])
    searches.image(1)
    searches.search([0, 3])
    searches.image(0)
    # Made again and not searched yet: nothing is known against what the image before it showed.
    assert photometered(searches) == [0, 1, 2, 3]
    searches.search([0])
    # Star 3 is on the other span still, 1 and 2 are on none.
    assert photometered(searches) == [0, 3]
    # A catalog names what the search does not see, and a star that appears again is an object again. What
    # was dropped it takes back, as roman-db load catalog does.
    execute(
        searches.url,
        "UPDATE roman.dropped_object SET restored_by = 1000 WHERE object_id = "
        f"({_NEAREST.format(*place_of(2))})",
        "INSERT INTO roman.object_alias "
        "(catalog_name, source_id, object_id, catalog_version_id, load_run_id) "
        f"SELECT 'gaia', '1', object_id, 1, 1000 FROM ({_NEAREST.format(*place_of(2))}) AS o",
    )
    assert photometered(searches) == [0, 2, 3]
    searches.image(1)
    searches.search([0, 1])
    assert photometered(searches) == [0, 1, 2]


@pytest.mark.heavy
def test_what_was_never_looked_for_is_photometered(searches):
    """Objects of a catalog without names, or that the differences of exposures showed."""
    searches.image(0)
    searches.search([0])
    ra, dec = place_of(2)
    execute(
        searches.url,
        "INSERT INTO roman.object (object_id, ra, dec, ref_epoch, first_catalog_version_id, "
        f"catalog_version_id, load_run_id) VALUES (7, {ra!r}, {dec!r}, 2027, 1, 1, 1000)",
    )
    searches.image(0)
    searches.search([0, 1])
    assert photometered(searches) == [0, 1, 2]


_NEAREST = "SELECT object_id FROM roman.object ORDER BY q3c_dist(ra, dec, {!r}, {!r}) LIMIT 1"


def place_of(star):
    """Right ascension and declination of a star, degrees."""
    ra, dec = FRAME.projection.to_sky(X[[star]], Y[[star]])
    return float(ra[0]), float(dec[0])
