"""Static catalogs and light curves come through to where catalogs may be of exposures, and back.

The database is that of release 0001, brought to revision 0022, with a catalog of mosaics made up for it.
"""

import pytest
from alembic import command
from psycopg2.errors import CheckViolation

from roman_db import migrate
from roman_db.query.audit import chosen, run_audits
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

FILLED = """
INSERT INTO roman.sky_cell (name, ra, dec, orientat, pixel_scale, n_x, n_y, footprint, load_run_id)
SELECT 'c', ra, dec, 0, 0.055, 10, 10, footprint, load_run_id FROM roman.exposure ORDER BY
    exposure_id LIMIT 1;
INSERT INTO roman.mosaic (sky_cell_id, set_name, optical_element, file_id, file_date, time_first_mjd_tdb,
    time_last_mjd_tdb, time_mean_mjd_tdb, exposure_time, n_exposure, pixfrac, fraction_usable,
    footprint, load_run_id)
SELECT sky_cell_id, 's', 'F146', (SELECT min(file_id) FROM ops.input_file), now(), 61470, 61472,
    61471, 600, 9, 1, 1,
    footprint, load_run_id
FROM roman.sky_cell;
INSERT INTO roman.source_catalog (sky_cell_id, set_name, epoch_mjd_tdb, threshold, aper_radius,
    n_source, n_matched,
    n_new, catalog_path, catalog_sha256, segmentation_path, segmentation_sha256, load_run_id)
SELECT sky_cell_id, 's', 61471, 4.5, '{0.1, 0.4}', 3, 3, 0, 'a', 'b', 'c', 'd', load_run_id FROM
    roman.sky_cell;
INSERT INTO roman.source_catalog_mosaic (source_catalog_id, optical_element, mosaic_id,
    psf_model_id, psf_fwhm,
    load_run_id)
SELECT source_catalog_id, optical_element, mosaic_id, '{}', 0.1, c.load_run_id
FROM roman.source_catalog c, roman.mosaic;
INSERT INTO roman.source (source_catalog_id, label, object_id, parent_label, ra, dec, is_extended,
    warning_flags,
    image_flags, load_run_id)
SELECT source_catalog_id, row_number() OVER (ORDER BY object_id), object_id, 1, ra, dec, false, 0,
    0, c.load_run_id
FROM roman.source_catalog c, (SELECT * FROM roman.object ORDER BY object_id LIMIT 3) o;
INSERT INTO roman.source_photometry (source_catalog_id, label, optical_element, psf_flux,
    psf_flux_err, psf_flags,
    is_extended, load_run_id)
SELECT source_catalog_id, label, 'F146', 100, 1, 0, false, load_run_id FROM roman.source
"""

_OF_EXPOSURE = """
INSERT INTO roman.source_catalog (sky_cell_id, exposure_id, set_name, epoch_mjd_tdb, threshold,
    aper_radius, n_source,
    n_matched, n_new, catalog_path, catalog_sha256, segmentation_path, segmentation_sha256, load_run_id)
SELECT {}, {}, 'e', 61471, 4.5, '{{0.1}}', 0, 0, 0, 'a', 'b', 'c', 'd', load_run_id FROM roman.exposure
ORDER BY exposure_id LIMIT 1
"""

_TOLD = """
INSERT INTO roman.source_catalog_exposure (source_catalog_id, exposure_id, file_id, psf_fwhm,
    n_source, load_run_id)
SELECT source_catalog_id, exposure_id, file_id, 0.1, 0, c.load_run_id
FROM roman.source_catalog c JOIN roman.exposure USING (exposure_id)
"""


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0022 with a static catalog of mosaics."""
    migrate.upgrade("0022")
    execute(old_release, FILLED)
    return old_release


def test_catalogs_of_mosaics_come_through_and_go_back(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    assert [len(before[f"roman.{name}"]) for name in ("source_catalog", "source", "source_photometry")] == [
        1,
        3,
        3,
    ]
    assert len(before["roman.light_curve_block"]) > 0
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []
    command.downgrade(migrate.alembic_config(), "0022")
    assert everything(filled, columns) == before
    migrate.upgrade()
    assert everything(filled, columns) == before


def test_a_catalog_is_of_mosaics_or_of_an_exposure(filled):
    migrate.upgrade()
    for cell, exposure in (("NULL", "NULL"), ("1", "exposure_id")):
        with pytest.raises(CheckViolation, match="of_image"):
            execute(filled, _OF_EXPOSURE.format(cell, exposure))
    execute(filled, _OF_EXPOSURE.format("NULL", "exposure_id"), _TOLD)
    assert execute(filled, "SELECT count(*) FROM roman.source_catalog WHERE exposure_id IS NOT NULL") == [
        (1,)
    ]
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []


def test_only_blocks_of_exposures_have_a_detector(filled):
    migrate.upgrade()
    change = "UPDATE roman.light_curve_block SET photometry_kind = '{}', detector = {}, field_id = {}"
    for kind in ("psf_mosaic", "aperture_mosaic"):
        with pytest.raises(CheckViolation, match="of_detector"):
            execute(filled, change.format(kind, "'WFI07'", "1"))
        execute(filled, change.format(kind, "NULL", "NULL"))
    with pytest.raises(CheckViolation, match="of_detector"):
        execute(filled, change.format("psf", "NULL", "NULL"))
