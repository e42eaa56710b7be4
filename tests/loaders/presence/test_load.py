"""Objects that leave the current catalog, and come back, in the database."""

import numpy as np
import pytest

from loaders.catalog.load import store_found
from loaders.detection.load import catalog_sources, read_known
from roman_db import session
from roman_db.load_run import load_run
from tests.loaders.detection.made_up_search import FRAME, Searches, detections
from tests.loaders.detection.test_load import photometered
from tests.roman_db.conftest import execute

VERSIONS = (
    "SELECT n_new, n_missing, n_dropped, n_restored FROM roman.catalog_version ORDER BY catalog_version_id"
)
DROPS = """
SELECT reason, n_seen, n_absent, catalog_version_id, restored_by FROM roman.dropped_object
ORDER BY catalog_version_id
"""


@pytest.fixture
def searches(database, monkeypatch):
    return Searches(database, monkeypatch)


def after(searches, *shown, first=0):
    """Search the images of so many spans, each of which shows some of the stars."""
    for span, stars in enumerate(shown, first):
        searches.image(span)
        assert not searches.search(stars).failed
    return searches


def current(searches):
    return execute(searches.url, "SELECT object_id FROM roman.current_object ORDER BY 1")


def test_an_object_that_is_missing_again_and_again_leaves_and_a_single_absence_says_nothing(searches):
    after(searches, [0, 1, 2], [0, 1], [0, 1])
    everything = execute(searches.url, "SELECT object_id FROM roman.object ORDER BY 1")
    assert current(searches) == everything
    after(searches, [0, 1], first=3)
    assert photometered(searches) == [0, 1]
    assert len(current(searches)) == 2
    assert execute(searches.url, VERSIONS) == [(3, 0, 0, 0), (0, 1, 0, 0), (0, 1, 0, 0), (0, 1, 1, 0)]
    assert execute(searches.url, DROPS) == [("missing", 1, 3, 4, None)]
    # It stays an object, of the catalog as it was too, and is no longer looked for.
    assert execute(searches.url, "SELECT object_id FROM roman.object ORDER BY 1") == everything
    count = "SELECT count(*) FROM roman.object_at({})"
    assert [execute(searches.url, count.format(version))[0][0] for version in (1, 3, 4)] == [3, 3, 2]
    after(searches, [0, 1], first=4)
    assert execute(searches.url, VERSIONS)[-1] == (0, 0, 0, 0)


@pytest.mark.heavy
def test_it_comes_back_as_the_same_object_when_images_show_it_again(searches):
    after(searches, [0, 1, 2], [0, 1], [0, 1], [0, 1])
    everything = execute(searches.url, "SELECT object_id FROM roman.object ORDER BY 1")
    after(searches, [0, 1, 2], first=4)
    assert photometered(searches) == [0, 1]
    after(searches, [0, 1, 2], [0, 1, 2], first=5)
    assert photometered(searches) == [0, 1, 2]
    assert execute(searches.url, "SELECT object_id FROM roman.object ORDER BY 1") == everything
    ((_, _, _, dropped, restored),) = execute(searches.url, DROPS)
    assert dropped < restored
    count = "SELECT count(*) FROM roman.object_at({})"
    assert execute(searches.url, count.format(restored - 1)) == [(2,)]
    assert execute(searches.url, count.format(restored)) == [(3,)]
    # What images that were made again say replaces what they said: with them it never was away.
    after(searches, [0, 1], [0, 1], [0, 1], [0, 1], first=7)
    assert photometered(searches) == [0, 1]
    after(searches, [0, 1, 2], [0, 1, 2], [0, 1, 2], first=8)
    assert photometered(searches) == [0, 1, 2]


_PROTECT = {
    "a name": """
        INSERT INTO roman.object_alias (catalog_name, source_id, object_id, catalog_version_id, load_run_id)
        SELECT 'gaia', '1', {object_id}, 1, 1000
    """,
    "an event": """
        INSERT INTO roman.event (object_id, season, photometry_kind, is_event, classification, t_0_guess,
            t_eff, search_shape, search_gain, n_point, load_run_id)
        SELECT {object_id}, 1, 'psf', {real}, 'single_lens', 0, 1, 1, 1, 1, 1000
    """,
    "a difference": """
        INSERT INTO roman.difference_image (difference_image_id, reference_image_id,
            minuend_reference_image_id, kernel_sum, template_share, reduced_chi2, fraction_beyond, n_source,
            superseded_at, load_run_id)
        SELECT 1, 1, 2, 1, 0, 1, 0, 1, CASE WHEN {real} THEN NULL ELSE now() END, 1000;
        INSERT INTO roman.dia_source (difference_image_id, source_number, object_id, x, y, ra, dec, psf_flux,
            psf_flux_err, kind, midpoint_mjd_tdb, load_run_id)
        SELECT 1, 0, {object_id}, 0, 0, 268, -29, 1, 1, 'variable', 61465, 1000
    """,
}


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("what", "real"),
    [
        ("a name", True),
        ("an event", True),
        ("an event", False),
        ("a difference", True),
        ("a difference", False),
    ],
)
def test_what_else_says_that_it_is_there_keeps_it(searches, what, real):
    after(searches, [0, 1, 2])
    star = _object(searches, 2)
    facts = _PROTECT[what].format(object_id=star, real=real)
    execute(searches.url, "SET session_replication_role = replica;" + facts)
    after(searches, *[[0, 1]] * 5, first=1)
    assert photometered(searches) == ([0, 1, 2] if real else [0, 1])


def _object(searches, star):
    """Identifier of the object of a star."""
    ra, dec = _place(star)
    nearest = "SELECT object_id FROM roman.object ORDER BY q3c_dist(ra, dec, {!r}, {!r}) LIMIT 1"
    return execute(searches.url, nearest.format(ra, dec))[0][0]


def _place(star):
    found = detections(np.array([star]), 0.02, 1.0, (np.empty(0), np.empty(0), np.empty(0)))
    ra, dec = FRAME.projection.to_sky(found.x, found.y)
    return float(ra[0]), float(dec[0])


@pytest.mark.heavy
def test_new_light_at_its_place_makes_it_an_object_again_at_once(searches):
    after(searches, [0, 1, 2], [0, 1], [0, 1], [0, 1])
    star = _object(searches, 2)
    assert photometered(searches) == [0, 1]
    found = detections(np.array([2]), 0.02, 1.0, (np.empty(0), np.empty(0), np.empty(0)))
    given = {"optical_element": "F146", "epoch_mjd_tdb": 61500.0, "reference_image_id": 1}
    sources, _ = catalog_sources(FRAME, read_known(FRAME, given), found, "F146", 2027.3)
    with load_run("test", {}) as run, session.transaction() as connection:
        _, object_id = store_found(connection, run, "difference", sources, np.array([-1]), 0.03)
    assert object_id.tolist() == [star]
    assert photometered(searches) == [0, 1, 2]
    assert execute(searches.url, VERSIONS)[-1] == (0, 0, 0, 1)


@pytest.mark.heavy
def test_rows_of_earlier_releases_say_nothing_of_what_was_promised_and_count_all_the_same(searches):
    after(searches, [0, 1, 2], [0, 1], [0, 1])
    execute(searches.url, "UPDATE roman.reference_source SET expected_snr = NULL")
    after(searches, [0, 1], [0, 1], first=3)
    assert photometered(searches) == [0, 1]
