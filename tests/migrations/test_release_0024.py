"""Reference images, PSFs and metrics come through to where the PSFs of images are measured, and back.

The database is that of release 0001, brought to revision 0024, with a reference image made up for it.
"""

import pytest
from alembic import command
from psycopg2.errors import UniqueViolation

from roman_db import migrate
from roman_db.query.audit import chosen, run_audits
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

_FILLED = """
INSERT INTO roman.reference_image (field_id, detector, optical_element, start_mjd, end_mjd,
    epoch_mjd_tdb, n_exposure, n_refused, exposure_time, oversampling, n_x, n_y, ra_ref, dec_ref,
    rotation_matrix, pixel_scale, footprint, psf_fwhm, path, sha256, size_bytes, load_run_id)
SELECT field_id, detector, optical_element, day_mjd, day_mjd + 8, midpoint_mjd_tdb, 1, 0, 66, 2, 8, 8,
    ra, dec, '{0.055, 0, 0, 0.055}', 0.055, footprint, 0.14, 'a', 'b', 1, load_run_id
FROM roman.exposure ORDER BY exposure_id LIMIT 1;
INSERT INTO ops.quality_metric (metric, value, verdict, load_run_id)
SELECT 'variable_fraction', 0.05, 'good', min(load_run_id) FROM ops.load_run
"""

_MEASURED = """
INSERT INTO ops.quality_metric (metric, reference_image_id, value, verdict, load_run_id)
SELECT 'reference_psf_fwhm', reference_image_id, 0.14, 'good', load_run_id FROM roman.reference_image
"""

_PLACE = """
INSERT INTO roman.reference_psf_moment (reference_image_id, place_number, x, y, ra, dec, psf_flags,
    load_run_id)
SELECT reference_image_id, 12, 3.5, 3.5, ra_ref, dec_ref, 3, load_run_id FROM roman.reference_image
"""


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0024 with a reference image."""
    migrate.upgrade("0024")
    execute(old_release, _FILLED)
    return old_release


def test_images_moments_and_metrics_come_through_and_go_back(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    for name in ("roman.reference_image", "roman.psf_moment", "ops.quality_metric"):
        assert before[name], name
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
    assert execute(filled, "SELECT DISTINCT psf_flags FROM roman.psf_moment") == [(0,)]
    assert execute(filled, "SELECT psf_n_star, psf_fraction_optics FROM roman.reference_image") == [
        (None, None)
    ]
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []
    execute(filled, _MEASURED, _PLACE)
    command.downgrade(migrate.alembic_config(), "0024")
    assert everything(filled, columns) == before
    migrate.upgrade()
    assert everything(filled, columns) == before


def test_a_metric_of_an_image_is_stored_once(filled):
    migrate.upgrade()
    execute(filled, _MEASURED)
    with pytest.raises(UniqueViolation, match="reference_image_id_metric"):
        execute(filled, _MEASURED)
