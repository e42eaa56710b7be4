"""Redshifts of simulated spectra, and of others that no instrument of ours has."""

import numpy as np
import pytest

from loaders.redshift.fit import fit_spectra
from loaders.redshift.simulate import simulated
from loaders.redshift.spectrum import Spectrum
from loaders.redshift.warning_bits import NOT_FITTED, WarningBit


@pytest.mark.parametrize("instrument", ["grism", "prism"])
def test_galaxies_with_strong_lines_have_their_redshifts(instrument):
    spectra, truth = simulated(instrument, "GALAXY", 12, 15.0, np.random.default_rng(2))
    fits = fit_spectra(spectra)
    offset = [(f.solutions[0].z - t.z) / (1 + t.z) for f, t in zip(fits, truth, strict=True)]
    assert np.mean(np.abs(offset) < (0.001 if instrument == "grism" else 0.005)) >= 10 / 12
    if instrument == "grism":
        error = [f.solutions[0].z_err / (1 + t.z) for f, t in zip(fits, truth, strict=True)]
        assert 0.3 < np.median(np.abs(offset) / np.array(error)) < 1.6


def test_stars_and_qsos_have_their_classes():
    for name in ("STAR", "QSO"):
        spectra, _ = simulated("grism", name, 10, 15.0, np.random.default_rng(3))
        assert sum(fit.solutions[0].class_name == name for fit in fit_spectra(spectra)) >= 9


def emission(wavelength, z, sigma):
    """[O II], Hβ, [O III] and Hα of unit amplitude on a flat continuum, written down without our code."""
    places = {3728.5: 1.0, 4862.68: 0.7, 4960.3: 0.66, 5008.24: 2.0, 6564.61: 2.0}
    return 1 + sum(a * np.exp(-0.5 * ((wavelength - w * (1 + z)) / sigma) ** 2) for w, a in places.items())


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("wavelength", "z", "sigma"),
    [(np.arange(3800.0, 9200, 4.0), 0.3, 4.0), (np.arange(11_000.0, 17_000, 24.0), 1.4, 45.0)],
)
def test_nothing_assumes_romans_range(wavelength, z, sigma):
    noise = np.random.default_rng(4).normal(0, 0.1, wavelength.size)
    error = np.full(wavelength.size, 0.1)
    one = Spectrum("x", wavelength, emission(wavelength, z, sigma) + noise, error, error < 0)
    (fit,) = fit_spectra([one])
    assert fit.solutions[0].class_name == "GALAXY"
    assert fit.solutions[0].z == pytest.approx(z, abs=0.002 * (1 + z))
    assert fit.warning & WarningBit.ASSUMED_RESOLUTION
    strongest = max(fit.lines, key=lambda line: line.snr)
    assert strongest.name in ("[OIII]5008", "Halpha")
    wanted = 2.0 * sigma * np.sqrt(2 * np.pi)
    assert strongest.flux == pytest.approx(wanted, rel=0.15)
    # The absolute size of the equivalent width is that of the flux on a continuum of 1.
    assert strongest.equivalent_width == pytest.approx(wanted / (1 + z), rel=0.2)


@pytest.mark.heavy
def test_quantiles_ascend_and_hold_the_truth_as_often_as_they_say():
    spectra, truth = simulated("grism", "GALAXY", 12, 12.0, np.random.default_rng(6))
    fits = fit_spectra(spectra)
    assert all(np.all(np.diff(fit.quantile) >= 0) for fit in fits)
    inside = [f.quantile[2] < t.z < f.quantile[97] for f, t in zip(fits, truth, strict=True)]
    assert np.mean(inside) > 0.7


def test_what_cannot_be_fitted_says_why_and_stops_nothing():
    wavelength = np.linspace(10_000, 19_000, 300)
    flux, error = np.ones(300) + 0.1 * np.sin(wavelength), np.full(300, 0.1)
    none = np.zeros(300, bool)
    bad = [
        Spectrum("masked", wavelength, flux, error, ~none),
        Spectrum("no variance", wavelength, flux, np.zeros(300), none),
        Spectrum("negative", wavelength, flux, -error, none),
        Spectrum("NaN", wavelength, flux * np.nan, error, none),
        Spectrum("flat", wavelength, np.zeros(300), error, none),
        Spectrum("short", wavelength[:5], flux[:5], error[:5], none[:5]),
        Spectrum("X-ray", wavelength / 1e4, flux, error, none),
        Spectrum("radio", wavelength * 1e4, flux, error, none),
        Spectrum("empty", wavelength[:0], flux[:0], error[:0], none[:0]),
    ]
    fits = fit_spectra([*bad, Spectrum("good", wavelength, flux, error, none)])
    assert all(fit.warning & NOT_FITTED and not fit.solutions for fit in fits[:-1])
    assert fits[1].warning & WarningBit.BAD_ERRORS
    assert fits[3].warning & WarningBit.NOT_FINITE
    assert fits[-1].solutions


def test_hostile_numbers_do_not_stop_the_fit():
    wavelength = np.linspace(4000, 9000, 400)
    generator = np.random.default_rng(9)
    flux = generator.normal(1, 0.1, 400)
    for scale in (1e-30, 1e30):
        for error in (np.full(400, 1e-3 * scale), np.where(np.arange(400) % 7 == 0, 0.0, 0.1 * scale)):
            (fit,) = fit_spectra([Spectrum("x", wavelength, flux * scale, error, np.zeros(400, bool))])
            assert np.isfinite(fit.solutions[0].z)
    flux[100], flux[200], flux[300] = np.inf, 1e12, -1e12
    (fit,) = fit_spectra([Spectrum("x", wavelength, flux, np.full(400, 0.1), np.zeros(400, bool))])
    assert fit.warning & WarningBit.NOT_FINITE


def test_a_pixel_that_outweighs_all_others_does_not_stop_the_fit():
    wavelength = np.linspace(4000, 9000, 400)
    flux, error = np.random.default_rng(10).normal(1, 0.1, 400), np.full(400, 0.1)
    flux[150:250], error[200] = 0.0, 1e-200
    (fit,) = fit_spectra([Spectrum("x", wavelength, flux, error, np.zeros(400, bool))])
    assert np.isfinite(fit.solutions[0].z)
