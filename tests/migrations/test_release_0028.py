"""Reference images come through to where images of seasons are kept beside them, and back.

The database is that of release 0001, brought to revision 0024, with a reference image made up for it.
"""

import pytest
from alembic import command
from psycopg2.errors import CheckViolation, UniqueViolation

from roman_db import migrate
from roman_db.query.audit import chosen, run_audits
from tests.migrations.frozen import everything, tables
from tests.migrations.test_release_0024 import _FILLED as IMAGE
from tests.roman_db.conftest import execute

#: A second image of the same first day that is none of a span, its parts, exposures, sources and PSF.
_SEASON = """
CREATE TEMPORARY TABLE one AS SELECT * FROM roman.reference_image;
UPDATE one SET reference_image_id = reference_image_id + 100, reference_kind = '{kind}';
INSERT INTO roman.reference_image OVERRIDING SYSTEM VALUE SELECT * FROM one
"""

_OF_SEASON = """
INSERT INTO roman.reference_image_part
    (reference_image_id, part_reference_image_id, is_used, weight, flux_scale, sky, load_run_id)
SELECT s.reference_image_id, r.reference_image_id, true, 1, 1, 0, r.load_run_id
FROM roman.reference_image r, roman.reference_image s
WHERE r.reference_kind = 'span' AND s.reference_kind = 'season';
INSERT INTO roman.reference_image_exposure (reference_image_id, exposure_id, file_id, is_used, load_run_id)
SELECT r.reference_image_id, e.exposure_id, e.file_id, true, r.load_run_id
FROM roman.reference_image r, roman.exposure e WHERE r.reference_kind = 'season';
INSERT INTO roman.reference_source (reference_image_id, object_id, state, load_run_id)
SELECT r.reference_image_id, o.object_id, 'missing', r.load_run_id
FROM roman.reference_image r, roman.object o WHERE r.reference_kind = 'season';
INSERT INTO roman.reference_psf_moment
    (reference_image_id, place_number, x, y, ra, dec, psf_flags, load_run_id)
SELECT reference_image_id, 12, 3.5, 3.5, ra_ref, dec_ref, 3, load_run_id
FROM roman.reference_image WHERE reference_kind = 'season';
INSERT INTO ops.quality_metric (metric, reference_image_id, value, verdict, load_run_id)
SELECT 'reference_psf_fwhm', reference_image_id, 0.14, 'good', load_run_id
FROM roman.reference_image WHERE reference_kind = 'season'
"""


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0028 with a reference image."""
    migrate.upgrade("0024")
    execute(old_release, IMAGE)
    migrate.upgrade("0028")
    return old_release


@pytest.mark.heavy
def test_images_come_through_and_go_back_without_those_of_seasons(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    assert before["roman.reference_image"]
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
    assert execute(filled, "SELECT reference_kind FROM roman.reference_image") == [("span",)]
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []
    execute(filled, _SEASON.format(kind="season"), _OF_SEASON)
    assert execute(filled, "SELECT count(*) FROM roman.reference_image_part") == [(1,)]
    command.downgrade(migrate.alembic_config(), "0028")
    assert everything(filled, columns) == before
    migrate.upgrade()
    assert everything(filled, columns) == before


@pytest.mark.heavy
@pytest.mark.parametrize(("kind", "error"), [("span", UniqueViolation), ("month", CheckViolation)])
def test_a_span_has_one_current_image_of_a_known_kind(filled, kind, error):
    migrate.upgrade()
    with pytest.raises(error, match="reference_image"):
        execute(filled, _SEASON.format(kind=kind))
