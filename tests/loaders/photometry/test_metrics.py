"""A metric equals what was put into the measurements: scatter, drift, residual, fractions."""

import numpy as np
import pytest

from loaders.light_curve.summary import SegmentMatrix
from loaders.photometry.flags import PhotometryFlag as Flag
from loaders.photometry.metrics import exposure_metrics, psf_metrics, robust_sigma, scatter_metrics
from tests.loaders.photometry.measurements import catalog, measurement

N = 20_000
ALL = np.arange(N)
FLUX = 10 ** np.linspace(3, 5, N)


def flux_of(magnitude):
    """Flux in nJy of an AB magnitude: 3631 Jy are magnitude 0 (Oke & Gunn 1983)."""
    return 3631e9 * 10 ** (-0.4 * np.asarray(magnitude))


@pytest.mark.parametrize("drift", [-12.0, 0.0, 3.5])
def test_drift_is_positive_where_stars_are_fainter_than_the_catalog(drift):
    rng = np.random.default_rng(1)
    flux = FLUX * 10 ** (-0.4 * drift / 1000) * (1 + 0.01 * rng.standard_normal(N))
    found = exposure_metrics(catalog(FLUX), measurement(ALL, flux))
    assert found["zero_point_drift"] == pytest.approx(drift, abs=0.4)


def test_faint_and_flagged_stars_and_those_without_a_catalogued_flux_are_no_standards():
    known = np.where(ALL % 5 == 0, np.nan, FLUX)
    flux, error, flags = FLUX.copy(), FLUX / 500, np.zeros(N, np.uint16)
    flux[ALL % 5 == 1], error[ALL % 5 == 1] = 3.0, 1.0
    flux[ALL % 5 == 2] *= 2
    flags[ALL % 5 == 2] = Flag.CROWDED
    found = exposure_metrics(catalog(known), measurement(ALL, flux, flux_err=error, flags=flags))
    assert found["zero_point_drift"] == pytest.approx(0, abs=1e-9)


def test_a_measurement_refers_to_rows_of_the_catalog():
    star = ALL[1000:9000:7]
    found = exposure_metrics(catalog(FLUX), measurement(star, FLUX[star]))
    assert found["zero_point_drift"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("sigma", [0.3, 1.2])
def test_residual_is_the_scatter_of_both_axes_and_no_few_outliers(sigma):
    east, north = sigma * np.random.default_rng(2).standard_normal((2, N))
    east[:100] = 50.0
    north[200:300] = np.nan
    found = exposure_metrics(
        catalog(FLUX), measurement(ALL, FLUX, offset_ra=east, offset_dec=north, shift=(3.0, -4.0))
    )
    assert found["astrometric_residual"] == pytest.approx(sigma, rel=0.02)
    assert found["astrometric_shift"] == 5.0


def test_fractions_count_what_the_documentation_says():
    """Flagged: any flag but CROWDED and SATURATED. Failed: no flux although on the detector."""
    flags = np.zeros(100, np.uint16)
    flags[:10] = Flag.CROWDED
    flags[10:20] = Flag.SATURATED | Flag.CROWDED
    flags[20:27] = Flag.POOR_FIT | Flag.CROWDED
    flags[27:30] = Flag.FIT_FAILED
    flags[30:31] = Flag.NO_PIXELS
    chi2 = np.where(np.arange(100) < 51, 1.25, 9.0)
    chi2[27:31] = np.nan
    measured = measurement(ALL[:100], FLUX[:100], flags=flags, reduced_chi2=chi2)
    found = exposure_metrics(catalog(FLUX), measured)
    assert found["fraction_flagged"] == pytest.approx(0.11)
    assert found["fraction_failed"] == pytest.approx(0.04)
    assert found["reduced_chi2"] == np.median([1.25] * 47 + [9.0] * 49)


def test_an_exposure_without_stars_has_no_metrics():
    found = exposure_metrics(catalog(FLUX), measurement(ALL[:0], FLUX[:0], shift=(np.nan, np.nan)))
    assert all(np.isnan(value) for value in found.values())


def block(magnitude, n_epoch, relative, scale, seed=3):
    """Stars of magnitudes with errors that are a fraction of the flux, scattering by a multiple of them."""
    flux = np.repeat(flux_of(magnitude)[:, None], n_epoch, axis=1)
    noise = np.random.default_rng(seed).standard_normal(flux.shape)
    return (flux * (1 + scale * relative * noise)).astype("f4"), (relative * flux).astype("f4")


@pytest.mark.parametrize("n_epoch", [3, 10, 80])
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.6])
def test_scatter_ratio_is_what_the_errors_have_to_be_multiplied_with(scale, n_epoch):
    """However few points there are."""
    flux, error = block(np.full(20_000, 20.5), n_epoch, 0.01, scale)
    found = dict(scatter_metrics(SegmentMatrix(flux, error, np.zeros(flux.shape, "u2"))))
    assert found["scatter_ratio"] == pytest.approx(scale, rel=0.03)


def test_scatter_is_that_of_each_magnitude_in_mmag():
    magnitude = np.concatenate([np.linspace(18.01, 18.99, 500), np.linspace(21.01, 21.99, 500)])
    relative = np.where(magnitude < 20, 0.004, 0.03)[:, None]
    flux, error = block(magnitude, 200, relative, 1.5)
    found = dict(scatter_metrics(SegmentMatrix(flux, error, np.zeros(flux.shape, "u2"))))
    assert set(found) == {"scatter_ratio", "scatter_18", "scatter_21"}
    # d(magnitude) = 2.5 / ln(10) d(flux) / flux
    assert found["scatter_18"] == pytest.approx(1085.736 * 1.5 * 0.004, rel=0.02)
    assert found["scatter_21"] == pytest.approx(1085.736 * 1.5 * 0.03, rel=0.02)


def test_flagged_and_missing_points_and_short_light_curves_do_not_count():
    flux, error = block(np.full(400, 19.5), 60, 0.01, 1.0)
    flags = np.zeros(flux.shape, "u2")
    expected = dict(scatter_metrics(SegmentMatrix(flux, error, flags)))
    junk = np.hstack([flux, 9 * flux[:, :1], np.full((400, 1), np.nan, "f4"), flux[:, :1]])
    flagged = np.hstack([flags, np.full((400, 1), Flag.POOR_FIT, "u2"), flags[:, :2]])
    errors = np.hstack([error, error[:, :1], error[:, :1], np.zeros((400, 1), "f4")])
    two = np.full((1, 63), np.nan, "f4")
    two[0, :2] = 1e4, 9e4
    flux, error = np.vstack([junk, two]), np.vstack([errors, np.ones((1, 63), "f4")])
    more = SegmentMatrix(flux, error, np.vstack([flagged, 0 * flagged[:1]]))
    assert dict(scatter_metrics(more)) == pytest.approx(expected)


def test_a_block_without_light_curves_has_no_scatter():
    none = np.full((5, 4), np.nan, "f4")
    assert dict(scatter_metrics(SegmentMatrix(none, none, np.zeros(none.shape, "u2")))) == {}


def test_robust_sigma_of_a_gaussian_is_its_standard_deviation():
    values = 4 + 2.5 * np.random.default_rng(5).standard_normal(200_000)
    values[:1000] = np.inf
    assert robust_sigma(values) == pytest.approx(2.5, rel=0.01)
    assert np.isnan(robust_sigma(np.array([np.nan])))


MJD_TDB = np.array([61465.1, 61465.5, 61466.9])
OPTICS = np.nan


@pytest.mark.parametrize(
    ("psf_epoch", "expected"),
    [
        ([61465.4, 61465.4, 61466.4], {"psf_is_optics": 0.0, "psf_age_days": 0.5}),
        ([61465.4, 61465.4, 61465.4], {"psf_is_optics": 0.0, "psf_age_days": 1.5}),
        ([OPTICS, OPTICS, 61467.0], {"psf_is_optics": 2 / 3, "psf_age_days": 0.1}),
        ([OPTICS, OPTICS, OPTICS], {"psf_is_optics": 1.0}),
    ],
)
def test_age_of_psfs(psf_epoch, expected):
    assert dict(psf_metrics(MJD_TDB, np.array(psf_epoch))) == pytest.approx(expected)
