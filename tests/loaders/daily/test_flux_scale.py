"""PSFs of the first images are on the scale of their own light, and on that of the catalog afterwards."""

from __future__ import annotations

import pytest

from loaders.daily.tasks import first_psfs, selection, units_with_stars
from loaders.psf.load import build_unit, read_psf, wide_psf
from loaders.psf.profile import light_within
from roman_db import session
from roman_db.load_run import load_run
from tests.faults.survey import DETECTOR
from tests.loaders.daily.test_refused import find_misfits
from tests.roman_db.conftest import execute

#: What the fluxes of the catalog are too bright by.
WRONG = 1.3

_SHOWN = """
INSERT INTO roman.reference_source (reference_image_id, object_id, state, x, y, ra, dec, ra_err, dec_err,
                                    psf_flux, psf_flux_err, load_run_id)
SELECT r.reference_image_id, f.object_id, 'new', 0, 0, o.ra, o.dec, 1, 1, f.psf_flux, f.psf_flux_err,
       r.load_run_id
FROM roman.reference_image r, roman.object_flux f JOIN roman.object o USING (object_id)
WHERE f.optical_element = 'F146' AND r.superseded_at IS NULL
"""


def build(units):
    """Build the PSF of the first unit; its light within the wings, and its scale."""
    with load_run("test", {}) as run:
        build_unit(units[0], run, lambda *_: None)
    with session.reading() as connection:
        identifier, scale = connection.exec_driver_sql(
            "SELECT psf_model_id, flux_scale FROM roman.psf_model WHERE superseded_at IS NULL "
            "ORDER BY psf_model_id DESC LIMIT 1"
        ).one()
        return light_within(read_psf(connection, identifier)), scale


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_psf_of_first_images(photometered):
    """Where fluxes are those of an image with the PSF of the optics, the catalog does not set the scale."""
    execute(
        photometered,
        "DELETE FROM roman.reference_image_exposure",
        f"UPDATE roman.object_flux SET psf_flux = psf_flux * {WRONG}",
        "UPDATE roman.psf_model SET superseded_at = now()",
    )
    everywhere = selection(detector=DETECTOR, optical_element="F146")
    calibrated, scale = build(first_psfs(everywhere))
    assert scale == "catalog"
    execute(photometered, "UPDATE roman.psf_model SET superseded_at = now()")
    find_misfits(photometered)
    execute(photometered, _SHOWN)
    own, scale = build(first_psfs(everywhere))
    assert scale == "own_light"
    light = light_within(wide_psf(DETECTOR, "F146"))
    assert own == pytest.approx(light, rel=1e-6)
    assert calibrated == pytest.approx(light / WRONG, rel=0.03)
    # While the first images are made it serves; after them it is built again as the catalog has it.
    days = [unit.name for unit in units_with_stars(everywhere)]
    assert [unit.name for unit in first_psfs(everywhere)] == days[1:]
    again, scale = build(units_with_stars(everywhere))
    assert scale == "catalog"
    assert again == pytest.approx(calibrated, rel=1e-3)
