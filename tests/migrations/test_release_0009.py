"""References and differences that release 0009 stored come through the upgrade; what is new says what it may.

The database is that of release 0001, brought to revision 0009; its exposures and objects are what the
reference images, of which that release had none, are said to be of. All checks of the database are on.
"""

import pytest
from psycopg2.errors import CheckViolation

from roman_db import migrate
from roman_db.query.audit import chosen, run_audits
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

#: Two images of one span, the first of which was superseded, and one of a later span, compared with it.
_FILLED = """
INSERT INTO roman.reference_image (
    field_id, detector, optical_element, start_mjd, end_mjd, epoch_mjd_tdb, n_exposure, n_refused,
    exposure_time, oversampling, n_x, n_y, ra_ref, dec_ref, rotation_matrix, pixel_scale, footprint,
    limiting_mag, psf_model_id, path, sha256, size_bytes, superseded_at, load_run_id
)
SELECT e.field_id, e.detector, e.optical_element, span.start_mjd, span.start_mjd + 8, span.start_mjd + 4,
       6, 1, 300, 2, 64, 64, e.ra, e.dec, '{-0.055,0,0,0.055}', 0.055, e.footprint,
       25.5, (SELECT min(psf_model_id) FROM roman.psf_model), '/reference/' || span.number, span.number,
       100, CASE WHEN span.number = 1 THEN now() END, e.load_run_id
FROM (SELECT * FROM roman.exposure ORDER BY exposure_id LIMIT 1) AS e,
     (VALUES (1, 61473), (2, 61473), (3, 61481)) AS span (number, start_mjd)
ORDER BY span.number;
INSERT INTO roman.reference_image_exposure
    (reference_image_id, exposure_id, file_id, is_used, shift_ra, shift_dec, sky, flux_scale, load_run_id)
SELECT r.reference_image_id, e.exposure_id, e.file_id,
       row_number() OVER (PARTITION BY r.reference_image_id ORDER BY e.exposure_id) <> 4, 0.5, -0.25, 3, 1.01,
       r.load_run_id
FROM roman.reference_image r, roman.exposure e;
INSERT INTO roman.reference_source
    (reference_image_id, object_id, state, x, y, ra, dec, psf_flux, load_run_id)
SELECT r.reference_image_id, o.object_id, CASE WHEN r.superseded_at IS NULL THEN 'known' ELSE 'new' END,
       10, 20, o.ra, o.dec, 1000, r.load_run_id
FROM roman.reference_image r, roman.object o;
INSERT INTO roman.difference_image (
    reference_image_id, minuend_reference_image_id, kernel_sum, template_share, reduced_chi2, fraction_beyond,
    n_source, load_run_id
)
VALUES (2, 3, 1.001, 0.5, 1.02, 1e-5, 3, 1);
INSERT INTO roman.dia_source (
    difference_image_id, source_number, object_id, midpoint_mjd_tdb, x, y, ra, dec, psf_flux, psf_flux_err,
    kind, load_run_id
)
SELECT 1, number, CASE WHEN kind = 'variable' THEN (SELECT min(object_id) FROM roman.object) END,
       61485, number, number, 268, -29, 500 - 300 * number, 10, kind, 1
FROM (VALUES (0, 'new'), (1, 'variable'), (2, 'hit')) AS s (number, kind)
"""

_ANCHORS = (
    "n_anchor, anchor_shift_ra, anchor_shift_dec, anchor_shift_ra_err, anchor_shift_dec_err, anchor_residual"
)
_OF_EXPOSURES = "is_left_out, file_id, n_template, psf_model_id, catalog_path, catalog_sha256"


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0009 with rows in all that has to do with references."""
    migrate.upgrade("0009")
    execute(old_release, _FILLED)
    return old_release


def test_references_and_differences_come_through(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    count = {name: len(found) for name, found in before.items()}
    assert [count[f"roman.{name}"] for name in ("reference_image", "difference_image", "dia_source")] == [
        3,
        1,
        3,
    ]
    assert count["roman.reference_image_exposure"] == 3 * count["roman.exposure"] >= 24
    assert count["roman.reference_source"] == 3 * count["roman.object"] > 0
    migrate.upgrade()
    migrate.ensure_current()
    now = tables(filled)
    assert {name: columns[name] & now[name] for name in columns} == columns
    assert everything(filled, columns) == before
    assert set(execute(filled, f"SELECT {_ANCHORS} FROM roman.reference_image")) == {(0, *[None] * 5)}
    assert execute(filled, f"SELECT {_OF_EXPOSURES} FROM roman.difference_image") == [(False, *[None] * 5)]
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []


def test_differences_of_exposures_find_their_place_beside_those_that_were_there(filled):
    migrate.upgrade()
    insert = (
        "INSERT INTO roman.difference_image (reference_image_id, exposure_id, file_id, {}kernel_sum, "
        "template_share, reduced_chi2, fraction_beyond, n_source, load_run_id) "
        "SELECT 3, exposure_id, file_id, {}1, 0.5, 1, 0, 0, 1 FROM roman.exposure ORDER BY 2 LIMIT 1"
    )
    with pytest.raises(CheckViolation, match="difference_image_of_exposure_check"):
        execute(filled, insert.format("", ""))
    more = "is_left_out, n_template, catalog_path, catalog_sha256, "
    execute(filled, insert.format(more, "true, 5, '/catalog', 'ab', "))
    assert execute(filled, "SELECT is_left_out FROM roman.difference_image ORDER BY 1") == [(False,), (True,)]
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []
