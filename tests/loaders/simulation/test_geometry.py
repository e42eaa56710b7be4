from __future__ import annotations

import datetime
from pathlib import Path

import asdf
import galsim
import galsim.roman
import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS as FitsWcs
from gwcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.simulation.attitude import WFI_CEN_V2, WFI_CEN_V3, Attitude, Pointing, ideal_to_v
from loaders.simulation.distortion import CENTRE, distortion
from loaders.simulation.geometry import Camera
from loaders.simulation.parameters import Window
from loaders.simulation.wcs import detector_wcs, footprint, tangent_wcs

CORNERS = np.array([0.0, 4087.0, 4087.0, 0.0]), np.array([0.0, 0.0, 4087.0, 4087.0])


def _pixels(number: int = 500) -> np.ndarray:
    return np.random.default_rng(3).uniform(-5, 4092, (2, number))


@settings(deadline=None)
@given(
    ra=st.floats(0, 359.99),
    dec=st.floats(-85, 85),
    roll=st.floats(0, 359.99),
    v2=st.floats(-3000, 3000),
    v3=st.floats(-3000, 3000),
)
def test_attitude_looks_where_it_is_pointed(ra: float, dec: float, roll: float, v2: float, v3: float) -> None:
    attitude = Attitude.pointed(Pointing(ra, dec, roll), v2, v3)
    found = attitude.at(v2, v3)
    seen = SkyCoord(found.ra, found.dec, unit="deg")
    assert seen.separation(SkyCoord(ra, dec, unit="deg")).arcsec < 1e-8
    assert (found.roll - roll + 180) % 360 - 180 == pytest.approx(0, abs=1e-9)
    back = attitude.to_v(*attitude.to_sky(np.array([v2 + 7.0]), np.array([v3 - 9.0])))
    np.testing.assert_allclose(np.ravel(back), [v2 + 7.0, v3 - 9.0], atol=1e-8)


def test_roll_is_the_position_angle_of_v3() -> None:
    attitude = Attitude.pointed(Pointing(268.0, -29.2, 37.0), 0.0, 0.0)
    ra, dec = attitude.to_sky(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]))
    origin, along_v3, along_v2 = (SkyCoord(a, d, unit="deg") for a, d in zip(ra, dec, strict=True))
    assert origin.position_angle(along_v3).deg == pytest.approx(37.0, abs=1e-6)
    assert origin.position_angle(along_v2).deg == pytest.approx(37.0 + 90.0, abs=1e-6)


def test_ideal_frame_is_turned_by_its_angle_and_mirrored() -> None:
    # The ideal y axis lies at -60 deg from V3, x at -90 deg from y (parity -1).
    np.testing.assert_allclose(
        ideal_to_v(0, 1), (np.sin(np.radians(-60)), np.cos(np.radians(-60))), atol=1e-12
    )
    np.testing.assert_allclose(
        ideal_to_v(1, 0), (np.sin(np.radians(-150)), np.cos(np.radians(-150))), atol=1e-12
    )


def test_reference_position_of_wfi01_is_that_of_the_aperture_file() -> None:
    geometry = distortion("WFI01")
    assert geometry.v2_ref == pytest.approx(1312.95, abs=0.2)
    assert geometry.v3_ref == pytest.approx(-1040.79, abs=0.2)


@pytest.mark.parametrize("detector", ["WFI01", "WFI07", "WFI09", "WFI18"])
def test_distortion_returns_to_the_pixel(detector: str) -> None:
    geometry, (x, y) = distortion(detector), _pixels()
    found = geometry.to_pixel(*geometry.to_v(x, y))
    np.testing.assert_allclose(found, (x, y), atol=1e-7)


@pytest.mark.parametrize("detector", ["WFI03", "WFI14"])
def test_sky_positions_are_galsims(detector: str) -> None:
    number, degrees = int(detector[3:]), galsim.degrees
    ra, dec, pa_f2 = 330.0, -25.0, 50.0
    wcs = galsim.roman.getWCS(
        galsim.CelestialCoord(ra * degrees, dec * degrees),
        PA=pa_f2 * degrees,
        PA_is_FPA=True,
        SCAs=[number],
        date=datetime.datetime(2026, 11, 20),
    )[number]
    x, y = _pixels(50)
    expected = SkyCoord(*wcs.xyToradec(x + 1, y + 1, units=degrees), unit="deg")
    attitude = Attitude.pointed(Pointing(ra, dec, pa_f2 - 120.0), WFI_CEN_V2, WFI_CEN_V3)
    found = SkyCoord(*attitude.to_sky(*distortion(detector).to_v(x, y)), unit="deg")
    # GalSim turns each detector by the position angle at the focal plane's centre: good to a milliarcsecond.
    assert found.separation(expected).mas.max() < 1.0


def test_pixel_area_is_that_of_its_corners() -> None:
    geometry = distortion("WFI07")
    attitude = Attitude.pointed(Pointing(10.0, 0.0, 5.0), geometry.v2_ref, geometry.v3_ref)
    x = 3000.0 + 100 * np.array([-0.5, 0.5, 0.5, -0.5])
    y = 700.0 + 100 * np.array([-0.5, -0.5, 0.5, 0.5])
    ra, dec = attitude.to_sky(*geometry.to_v(x, y))
    u, v = np.radians(ra - 10) * np.cos(np.radians(dec)), np.radians(dec)
    shoelace = 0.5 * abs(np.dot(u, np.roll(v, -1)) - np.dot(v, np.roll(u, -1)))
    assert geometry.pixel_area(3000.0, 700.0) == pytest.approx(shoelace / 100**2, rel=1e-4)


def _camera(window: Window) -> Camera:
    return Camera(distortion("WFI07"), window, Pointing(268.0, -29.2, 90.0))


def test_centre_of_the_window_sees_the_field(window: Window) -> None:
    camera = _camera(window)
    attitude = camera.attitude((0.0, 0.0))
    x, y = camera.to_window(attitude, np.array([268.0]), np.array([-29.2]))
    np.testing.assert_allclose((x[0], y[0]), ((window.width - 1) / 2, (window.height - 1) / 2), atol=1e-8)


def test_a_dither_moves_stars_by_its_size(window: Window) -> None:
    camera = _camera(window)
    field = np.array([268.0]), np.array([-29.2])
    still = np.ravel(camera.to_window(camera.attitude((0.0, 0.0)), *field))
    for offset in ((0.5, 0.0), (0.0, 0.5), (-0.3, 0.4)):
        moved = np.ravel(camera.to_window(camera.attitude(offset), *field))
        assert np.hypot(*(moved - still)) == pytest.approx(np.hypot(*offset) / 0.11, rel=0.03)


def test_pointing_error_has_its_size_and_direction(window: Window) -> None:
    camera = _camera(window)
    ra, dec = np.array([268.0]), np.array([-29.2])
    x, y = camera.to_window(camera.attitude((0.0, 0.0), (3.0, -4.0)), ra, dec)
    still = camera.attitude((0.0, 0.0))
    found = SkyCoord(*still.to_sky(*camera.distortion.to_v(x + window.x, y + window.y)), unit="deg")
    # The telescope looks too far east and south, so that the star seems too far west and north.
    d_ra, d_dec = SkyCoord(268.0, -29.2, unit="deg").spherical_offsets_to(found[0])
    assert (d_ra.to_value(units.mas), d_dec.to_value(units.mas)) == pytest.approx((-3.0, 4.0), abs=1e-3)


def test_jacobian_is_that_of_the_wcs(window: Window) -> None:
    camera = _camera(window)
    attitude = camera.attitude((0.0, 0.0))
    jacobian = camera.jacobian(attitude)
    x, y = camera.centre
    ra, dec = attitude.to_sky(*camera.distortion.to_v(np.array([x, x + 1]), np.array([y, y + 2])))
    step = (ra[1] - ra[0]) * np.cos(np.radians(dec[0])) * 3600, (dec[1] - dec[0]) * 3600
    np.testing.assert_allclose(jacobian @ [1, 2], step, atol=1e-5)


@pytest.fixture
def wcs(window: Window) -> WCS:
    camera = _camera(window)
    return detector_wcs(camera.distortion, camera.attitude((0.2, 0.1)), window)


def test_wcs_agrees_with_the_camera(wcs: WCS, window: Window) -> None:
    camera = _camera(window)
    x, y = np.random.default_rng(2).uniform(0, 47, (2, 100))
    ra, dec = wcs(x, y)
    np.testing.assert_allclose(
        camera.to_window(camera.attitude((0.2, 0.1)), ra, dec), (x, y), atol=1e-6, rtol=0
    )


def test_wcs_survives_a_file_and_has_an_inverse(wcs: WCS, tmp_path: Path) -> None:
    path = tmp_path / "wcs.asdf"
    asdf.AsdfFile({"wcs": wcs}).write_to(path)
    with asdf.open(path) as file:
        back = file["wcs"]
        assert back.available_frames == ["detector", "v2v3", "v2v3vacorr", "world"]
        x, y = np.random.default_rng(2).uniform(0, 47, (2, 200))
        np.testing.assert_allclose(back.invert(*back(x, y)), (x, y), atol=1e-6)
        assert isinstance(back.pixel_to_world(3.0, 4.0), SkyCoord)


def test_inverse_holds_over_a_whole_detector() -> None:
    camera = _camera(Window(0, 0, 4088, 4088))
    whole = detector_wcs(camera.distortion, camera.attitude((0.0, 0.0)), camera.window)
    x, y = np.random.default_rng(2).uniform(0, 4087, (2, 300))
    np.testing.assert_allclose(whole.invert(*whole(x, y)), (x, y), atol=1e-6)


def test_footprint_is_made_of_the_corners(wcs: WCS, window: Window) -> None:
    words = footprint(wcs, window.shape).split()
    assert words[:2] == ["POLYGON", "ICRS"]
    corners = np.array(words[2:], dtype=float).reshape(4, 2)
    # 1e-9 deg is 3e-5 pixels.
    x, y = wcs.invert(*corners.T, with_bounding_box=False)
    np.testing.assert_allclose(x, [-0.5, 63.5, 63.5, -0.5], atol=1e-4)
    np.testing.assert_allclose(y, [-0.5, -0.5, 47.5, 47.5], atol=1e-4)


def test_tangent_plane_is_that_of_fits() -> None:
    ours = tangent_wcs(268.0, -29.2, 0.055, (80, 100))
    fits = FitsWcs(naxis=2)
    fits.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    fits.wcs.crval, fits.wcs.crpix = [268.0, -29.2], [50.5, 40.5]
    fits.wcs.cdelt = [-0.055 / 3600, 0.055 / 3600]
    x, y = np.random.default_rng(2).uniform(0, 79, (2, 50))
    np.testing.assert_allclose(ours(x, y), fits.wcs_pix2world(x, y, 0), rtol=0, atol=1e-11)


def test_centre_is_the_middle_of_the_pixels() -> None:
    assert CENTRE == 2043.5
