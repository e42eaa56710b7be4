"""``roman-db run mosaic-photometry``: the merged catalog measured in mosaics, into the same light curves."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.time import Time
from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture, aperture_photometry

from loaders.static_catalog.mosaic import read_mosaic
from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute

ELEMENT = "F158"
RUN = ("run", "mosaic-photometry")
CURRENT = "SELECT count(*) FROM roman.light_curve_block WHERE superseded_at IS NULL"

_POINTS = """
SELECT o.ra, o.dec, l.flux, l.flux_err, m.reference_flux, s.is_extended
FROM roman.light_curve l JOIN roman.object o USING (object_id)
JOIN roman.light_curve_summary m USING (object_id, block_id, start_mjd)
JOIN roman.source s USING (object_id)
WHERE l.photometry_kind = '{}' AND s.image_flags = 0 AND s.nn_distance > 0.8 AND l.flags = 0
ORDER BY object_id
"""


@pytest.fixture
def stored(new_database, sparse_field, tmp_path):
    """A field whose objects its static catalog found; its mosaic was not photometered yet."""
    field = sparse_field.copy(tmp_path / "field")
    succeed("load", "exposure", field.folder)
    succeed("load", "mosaic", field.folder)
    succeed("run", "static-catalog", "--products", tmp_path / "products")
    return new_database, field


def points(url, kind):
    rows = execute(url, _POINTS.format(kind))
    return [np.array(column, dtype=float) for column in zip(*rows, strict=True)]


def nearest(field, ra, dec):
    """True flux of the nearest source, and whether that is a star within 0.1 arcsec."""
    true_ra, true_dec, flux, is_galaxy = field.truth(ELEMENT)
    places = SkyCoord(ra, dec, unit="deg"), SkyCoord(true_ra, true_dec, unit="deg")
    index, distance, _ = places[0].match_to_catalog_sky(places[1])
    return flux[index], (distance.arcsec < 0.1) & ~is_galaxy[index]


def test_mosaics_make_points_of_light_curves(stored):
    url, field = stored
    first = succeed(*RUN)
    assert "1 mosaics photometered; 2 blocks" in first.out
    ra, dec, flux, error, _, extended = points(url, "psf_mosaic")
    true, is_star = nearest(field, ra, dec)
    good = is_star & (true > 1000) & (extended == 0)
    assert good.sum() >= 5
    # Stars have their true flux, but for the two per cent that a PSF of the middle leaves.
    pull = (flux - true) / np.hypot(error, 0.03 * true)
    assert np.abs(pull[good]).max() < 5
    assert np.median(flux[good] / true[good]) == pytest.approx(1, abs=0.03)
    ra, dec, flux, error, static, extended = points(url, "aperture_mosaic")
    bright = flux > 30 * error
    assert bright.sum() >= 8
    assert (extended[bright] == 1).any()
    # The same circle of the same mosaic, whose sky static catalogs take without neighbours.
    assert np.median(flux[bright] / static[bright]) == pytest.approx(1, abs=0.04)
    np.testing.assert_allclose(flux, by_photutils(field, ra, dec), rtol=0.01, atol=20)
    check_block(url, field)
    assert ": 0 mosaics photometered" in succeed(*RUN).out
    assert "1 mosaics photometered" in succeed(*RUN, "--redo").out
    assert execute(url, CURRENT) == [(2,)]
    assert succeed("audit").code == 0
    assert roman_db(*RUN, "--cell", "nowhere").code == roman_db(*RUN, "--optical-element", "X").code == 2
    for kind in ("psf_mosaic", "aperture_mosaic"):
        found = succeed("query", "--example", "variable_sources", "--param", f"photometry_kind={kind}",
                        "--param", "min_points=1", "--format", "csv")  # fmt: skip
        assert found.code == 0


def by_photutils(field, ra, dec):
    """Light in circles less the median of annuli, of the mosaic."""
    image = read_mosaic(field.mosaics[ELEMENT])
    place = np.stack(image.wcs.invert(ra, dec, with_bounding_box=False), axis=1)
    circle = CircularAperture(place, r=0.4 / image.pixel_scale)
    ring = CircularAnnulus(place, 2.4 / image.pixel_scale, 2.8 / image.pixel_scale)
    sky = ApertureStats(image.data, ring, sum_method="center").median
    return aperture_photometry(image.data, circle, method="exact")["aperture_sum"] - sky * circle.area


def check_block(url, field):
    """Blocks name their mosaic and its mean time, at the barycentre by astropy."""
    rows = execute(url, "SELECT b.exposure_id, m.mosaic_id, b.file_id, m.file_id, b.midpoint_mjd_tdb, "
                   "m.time_mean_mjd_tdb, b.midpoint_bjd_tdb, b.detector, b.field_id, b.start_mjd "
                   "FROM roman.light_curve_block b, roman.mosaic m")  # fmt: skip
    centre = SkyCoord(field.scene.parameters.scene.ra, field.scene.parameters.scene.dec, unit="deg")
    for numbers, mosaic_id, file, of_mosaic, mjd, mean, bjd, detector, of_field, start in rows:
        assert (numbers, file, detector, of_field) == ([-mosaic_id], [of_mosaic], None, None)
        assert (mjd, start) == ([mean], int(mean))
        time = Time(mean, format="mjd", scale="tdb", location=EarthLocation.from_geocentric(0, 0, 0, "m"))
        expected = (time + time.light_travel_time(centre)).jd
        # The telescope is a hundredth of an au from the middle of the Earth: five seconds.
        assert bjd[0] == pytest.approx(expected, abs=6 / 86400)


@pytest.mark.heavy
def test_a_newer_mosaic_takes_the_place_of_the_older_one(stored, tmp_path):
    url, field = stored
    succeed(*RUN)
    before = execute(url, "SELECT max(mosaic_id) FROM roman.mosaic")[0][0]
    field.write_mosaic(ELEMENT, 4)
    succeed("load", "mosaic", field.folder)
    assert "1 mosaics photometered" in succeed(*RUN).out
    current = "SELECT DISTINCT exposure_id FROM roman.light_curve_block WHERE superseded_at IS NULL"
    assert execute(url, current) == [([-before - 1],)]
    assert execute(url, CURRENT) == [(2,)]
    # New objects on the mosaic are photometered back.
    assert ": 0 mosaics photometered" in succeed(*RUN).out
    succeed("run", "static-catalog", "--products", tmp_path / "products")
    grown = (
        execute(url, "SELECT sum(n_new) FROM roman.catalog_version WHERE catalog_version_id > 1")[0][0] or 0
    )
    assert (": 1 mosaics photometered" in succeed(*RUN).out) == (grown > 0)
    assert succeed("audit").code == 0
