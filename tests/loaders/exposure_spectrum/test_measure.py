"""Objects on a dispersed exposure: each has a row, whatever is wrong with it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from roman_datamodels.dqflags import pixel

from loaders.astrometry.place import CatalogAstrometry
from loaders.exposure_spectrum.measure import Calibration, Objects, measure
from loaders.exposure_spectrum.metrics import exposure_metrics
from loaders.exposure_spectrum.warning_bits import REASONS, SpectrumBit
from loaders.rejection import Rejected
from loaders.spectral_extraction.calibration_file import SensitivityReference, designed_sensitivity
from loaders.spectral_extraction.exposure import by_wavelength, read_dispersed
from loaders.spectral_extraction.path import path
from loaders.spectral_geometry.nominal import nominal_reference
from loaders.wfi.level2 import read_level2

BURNT = np.uint32(pixel.SATURATED.value | pixel.DO_NOT_USE.value)
DESIGNED = Calibration(nominal_reference("PRISM"), designed_sensitivity("PRISM"))


@pytest.fixture(scope="module")
def scene(prism_field):
    """The first exposure, the direct one, the truth, and the objects with their catalogued brightness."""
    exposure = read_dispersed(min(prism_field.glob("*_prism_cal.asdf")), 1.8)
    direct = read_level2(next(prism_field.glob("*_f158_cal.asdf")))
    truth = pq.read_table(prism_field / "truth.parquet").to_pylist()
    return exposure, direct, truth, objects([(row["ra"], row["dec"], row["mag_f158"]) for row in truth])


def objects(rows):
    """Objects at right ascensions and declinations, of AB magnitudes in F158."""
    ra, dec, magnitude = np.array(rows, dtype=np.float64).T
    zero = np.zeros(ra.size)
    astrometry = CatalogAstrometry(ra, dec, zero + 2027.0, zero, zero, zero)
    flux = by_wavelength(3631e9 * 10 ** (-0.4 * magnitude), 1.58)
    return Objects(np.arange(ra.size), astrometry, flux)


def ratio(measured, n, truth):
    """Flux over that of the truth, the median between 1.0 and 1.6 µm."""
    found = measured.spectra[n].calibrated
    true = np.interp(found.wavelength, truth[n]["wavelength"], truth[n]["flux_density"])
    return float(np.nanmedian((found.flux / true)[np.abs(found.wavelength - 1.3) < 0.3]))


def seen_first(scene):
    """The number of the object that is farthest from the edges."""
    x, y = np.array([row["x"] for row in scene[2]]), np.array([row["y"] for row in scene[2]])
    return int(np.argmax(np.minimum(np.minimum(x, 59 - x), np.minimum(y, 329 - y))))


def test_all_are_extracted(scene):
    exposure, direct, truth, near = scene
    measured = measure(exposure, direct, DESIGNED, near)
    assert measured.reason == [None, None, None]
    assert all(warning & SpectrumBit.NO_FLAT for warning in measured.warning)
    assert ratio(measured, seen_first(scene), truth) == pytest.approx(1.0, abs=0.03)
    metrics = exposure_metrics(measured)
    assert metrics["spectra_extracted_fraction"] == 1.0
    assert metrics["spectral_residual_scatter"] == pytest.approx(1.0, abs=0.1)


def test_a_saturated_star_is_taken_for_a_point_of_its_catalogued_brightness(scene):
    """Its trace is not saturated: the spectrum is there, and says so."""
    exposure, direct, truth, near = scene
    n = seen_first(scene)
    dq = direct.dq.copy()
    x, y = round(truth[n]["x"]), round(truth[n]["y"])
    dq[y - 1 : y + 2, x - 1 : x + 2] |= BURNT
    measured = measure(exposure, replace(direct, dq=dq), DESIGNED, near)
    assert measured.warning[n] & SpectrumBit.SATURATED
    assert measured.warning[n] & SpectrumBit.ASSUMED_SHAPE
    assert measured.reason[n] is None
    # The galaxy is wider than the point that it is taken for.
    assert 0.5 < ratio(measured, n, truth) < 1.05


def without_trace(scene, n, flag):
    """The exposure with all pixels within 20 of the trace of an object flagged and not to be used."""
    exposure, truth = scene[0], scene[2]
    dispersion = DESIGNED.geometry.on("WFI03").in_window(*exposure.corner)
    steps = path(dispersion, 1, (truth[n]["x"], truth[n]["y"]), (0, 329))
    bad, dq = exposure.frame.bad.copy(), exposure.image.dq.copy()
    for x, y in zip(np.rint(steps.x).astype(int), steps.y.astype(int), strict=True):
        bad[y, max(x - 20, 0) : x + 21] = True
        dq[y, max(x - 20, 0) : x + 21] |= flag
    frame = replace(exposure.frame, bad=bad)
    return replace(exposure, frame=frame, image=replace(exposure.image, dq=dq))


@pytest.mark.parametrize(
    ("flag", "bit"),
    [(BURNT, SpectrumBit.SATURATED), (np.uint32(pixel.DO_NOT_USE.value), SpectrumBit.ALL_MASKED)],
)
def test_a_trace_without_a_usable_pixel_has_a_row_and_a_reason(scene, flag, bit):
    _, direct, _, near = scene
    n = seen_first(scene)
    measured = measure(without_trace(scene, n, flag), direct, DESIGNED, near)
    assert measured.warning[n] & bit
    assert measured.reason[n] == REASONS[bit]
    assert n not in measured.spectra


def test_an_exposure_without_a_usable_pixel_has_all_rows(scene):
    exposure, direct, _, near = scene
    frame = replace(exposure.frame, bad=np.ones_like(exposure.frame.bad))
    measured = measure(replace(exposure, frame=frame), direct, DESIGNED, near)
    assert measured.reason == [REASONS[SpectrumBit.ALL_MASKED]] * 3
    assert np.isnan(exposure_metrics(measured)["spectral_sky_rate"])


def test_an_object_off_the_detector_is_extracted_where_its_spectrum_is_on_it(scene):
    exposure, direct, truth, _ = scene
    ra, dec = (c[0] for c in exposure.image.projection.to_sky(np.array([30.0]), np.array([395.0])))
    far, high = (c[0] for c in exposure.image.projection.to_sky(np.array([30.0]), np.array([900.0])))
    rows = [(row["ra"], row["dec"], row["mag_f158"]) for row in truth]
    near = objects([*rows, (ra, dec, 19.0), (far, high, 19.0), (ra, dec + 1e-4, np.nan)])
    measured = measure(exposure, direct, DESIGNED, near)
    assert measured.object_id.tolist() == [0, 1, 2, 3, 5]
    bits = SpectrumBit.DIRECT_OFF_IMAGE | SpectrumBit.ASSUMED_SHAPE | SpectrumBit.TRUNCATED
    assert measured.warning[3] & bits == bits
    assert measured.reason[3] is None
    # There is no such source: what is extracted at its place is noise.
    flux, error = (getattr(measured.spectra[3].calibrated, name) for name in ("flux", "error"))
    assert abs(np.nanmedian(flux / error)) < 0.5
    assert measured.reason[4] == REASONS[SpectrumBit.NO_LIGHT]
    assert measured.warning[4] & SpectrumBit.NO_LIGHT


def test_a_flat_is_divided_by(scene):
    exposure, direct, truth, near = scene
    flat = np.full((4088, 4088), 2.0)
    flat[1900:2230, 1905] = np.nan
    measured = measure(exposure, direct, replace(DESIGNED, flat=flat), near)
    n = seen_first(scene)
    assert not measured.warning[n] & SpectrumBit.NO_FLAT
    assert ratio(measured, n, truth) == pytest.approx(0.5, abs=0.02)
    with pytest.raises(Rejected, match="Give one of the whole detector"):
        measure(exposure, direct, replace(DESIGNED, flat=flat[:2000]), near)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"geometry": nominal_reference("GRISM")}, "it is of GRISM, the exposure of PRISM"),
        ({"sensitivity": designed_sensitivity("GRISM")}, "it is of GRISM, the exposure of PRISM"),
        ({"sensitivity": SensitivityReference("PRISM", {})}, "order 1 of WFI03 is not in it"),
        ({"geometry": replace(nominal_reference("PRISM"), frames={})}, "the reference has detectors"),
    ],
)
def test_a_wrong_reference_is_refused(scene, changed, said):
    exposure, direct, _, near = scene
    with pytest.raises(Rejected, match=said) as refused:
        measure(exposure, direct, replace(DESIGNED, **changed), near)
    assert refused.value.code == "wrong_reference"


def test_bits_are_those_of_the_rows():
    text = (Path(__file__).parents[3] / "schema" / "rows" / "roman.spectrum_flag.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert {int(row["bit"]): row["name"] for row in rows} == {
        bit.bit_length() - 1: bit.name for bit in SpectrumBit
    }
    without = {row["name"] for row in rows if "no spectrum" in row["description"]}
    assert without == {bit.name for bit in REASONS}
