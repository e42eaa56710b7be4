"""The optical PSF is held against GalSim's own Fourier optics and against what physics conserves."""

from dataclasses import replace

import galsim
import galsim.roman
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from loaders.psf.optics import (
    IPC_KERNEL,
    OpticsSettings,
    aberrations,
    band_wavelengths,
    cutoff_frequency,
    optical_psf,
    pupil_image,
)
from tests.loaders.psf.scenes import l2_error

BARE = OpticsSettings(n_wavelength=1, photon_slope=0.0, jitter=0.0, charge_diffusion=0.0, ipc_kernel=None)
SMALL = replace(BARE, half_width=8)


def galsim_stamp(profile: galsim.GSObject, half_width: int, oversampling: int) -> np.ndarray:
    size = 2 * half_width * oversampling + 1
    parts = galsim.Convolve(profile, galsim.Pixel(galsim.roman.pixel_scale))
    step = galsim.roman.pixel_scale / oversampling
    image = parts.drawImage(nx=size, ny=size, scale=step, method="no_pixel", dtype=float)
    return image.array * oversampling**2


def test_it_is_what_galsim_converges_to_with_a_well_sampled_pupil():
    wavelength = galsim.roman.getBandpass("W146").effective_wavelength
    image, scale = pupil_image(7, "F146", 4)
    padded = np.zeros((2048, 2048))
    padded[768:1280, 768:1280] = image[::-1] > 0
    aperture = galsim.Aperture(
        lam=wavelength, diam=galsim.roman.diameter, pupil_plane_im=galsim.Image(padded, scale=scale)
    )
    waves = aberrations(7, (1000.0, 3000.0)) * 1293.0 / wavelength
    profile = galsim.OpticalPSF(lam=wavelength, diam=galsim.roman.diameter, aberrations=waves, aper=aperture)
    # GalSim's pupils are lit or dark; ours are grey at the edges, which is the difference that remains.
    ours = optical_psf("WFI07", "F146", 1000.0, 3000.0, SMALL).stamps[0, 0]
    assert l2_error(ours, galsim_stamp(profile, 8, 4)) < 0.01


@pytest.mark.parametrize(
    ("detector", "element", "name"), [("WFI07", "F146", "W146"), ("WFI09", "F213", "K213")]
)
def test_it_has_the_orientation_and_aberrations_of_galsims_roman_psf(detector, element, name):
    where = galsim.PositionD(300.0, 3700.0)
    band = galsim.roman.getBandpass(name)
    theirs = galsim.roman.getPSF(int(detector[3:]), name, SCA_pos=where, pupil_bin=4, wavelength=band)
    expected = galsim_stamp(theirs, 8, 4)
    ours = optical_psf(detector, element, 300.0, 3700.0, SMALL).stamps[0, 0]
    same = l2_error(ours, expected)
    # GalSim interpolates in an image near the Nyquist rate: some per cent are its own error.
    assert same < 0.07
    turned = [ours[::-1], ours[:, ::-1], ours[::-1, ::-1], ours.T]
    assert min(l2_error(other, expected) for other in turned) > 1.3 * same


# Full detector, peak and effective number of pixels of a star in the middle of a pixel: the project's STPSF
# figures for a K0V star (roman-technical-information, SummaryPSFstats_center).
PUBLISHED = [
    ("WFI01", "F062", 0.49536, 3.80),
    ("WFI01", "F106", 0.44004, 4.83),
    ("WFI01", "F146", 0.34546, 7.37),
    ("WFI01", "F213", 0.17052, 20.14),
    ("WFI18", "F146", 0.32608, 8.11),
]


@pytest.mark.parametrize(("detector", "element", "peak", "pixels"), PUBLISHED)
def test_peak_and_noise_pixels_are_those_that_the_project_publishes(detector, element, peak, pixels):
    jitter = 0.008 / np.sqrt(8 * np.log(2))
    star = replace(BARE, n_wavelength=7, temperature=5270.0, jitter=jitter)
    stamp = optical_psf(detector, element, settings=star).stamps[0, 0]
    assert stamp[60, 60] == pytest.approx(peak, rel=0.06)
    assert 1 / (stamp[::4, ::4] ** 2).sum() == pytest.approx(pixels, rel=0.1)


def test_the_mean_wavelength_is_galsims_effective_wavelength():
    band = galsim.roman.getBandpass("H158")
    assert band_wavelengths("F158", BARE) == pytest.approx([band.effective_wavelength], rel=1e-4)
    shares = band_wavelengths("F158", replace(BARE, n_wavelength=6))
    assert shares.mean() == pytest.approx(band.effective_wavelength, rel=1e-4)
    assert (np.diff(shares) > 0).all()


def test_a_cool_star_is_redder_and_its_psf_broader():
    cool, hot = (replace(SMALL, n_wavelength=5, temperature=t) for t in (3000.0, 20000.0))
    assert band_wavelengths("F146", cool).mean() > band_wavelengths("F146", hot).mean() + 50
    peaks = [optical_psf("WFI01", "F146", settings=one).stamps.max() for one in (cool, hot)]
    assert peaks[0] < peaks[1]


def test_every_pixel_phase_holds_the_same_flux():
    stamp = optical_psf("WFI05", "F146", settings=BARE).stamps[0, 0]
    phases = [stamp[j : j + 120 : 4, i : i + 120 : 4].sum() for j in range(4) for i in range(4)]
    assert np.ptp(phases) < 2e-3
    assert 0.9 < np.mean(phases) < 1


def test_nearly_all_flux_is_within_a_hundred_pixels():
    wide = optical_psf("WFI05", "F146", settings=replace(BARE, half_width=100, oversampling=2))
    assert 0.98 < wide.stamps.sum() / 4 < 1


def test_oversampling_only_adds_points():
    coarse = optical_psf("WFI12", "F129", settings=replace(SMALL, oversampling=3)).stamps[0, 0]
    fine = optical_psf("WFI12", "F129", settings=replace(SMALL, oversampling=6)).stamps[0, 0]
    assert fine[::2, ::2] == pytest.approx(coarse, abs=1e-12)


def test_diffusion_is_a_gaussian_blur():
    sharp = optical_psf("WFI07", "F146", settings=BARE).stamps[0, 0]
    blurred = optical_psf("WFI07", "F146", settings=replace(BARE, charge_diffusion=0.3)).stamps[0, 0]
    expected = gaussian_filter(sharp, 0.3 * 4, truncate=8)
    assert blurred[20:-20, 20:-20] == pytest.approx(expected[20:-20, 20:-20], abs=2e-5)


def test_capacitance_shares_charge_with_neighbouring_pixels():
    kernel = ((0.0, 0.01, 0.0), (0.02, 0.9, 0.03), (0.0, 0.04, 0.0))
    plain = optical_psf("WFI07", "F146", settings=BARE).stamps[0, 0]
    shared = optical_psf("WFI07", "F146", settings=replace(BARE, ipc_kernel=kernel)).stamps[0, 0]
    inner = plain[4:-4, 4:-4]
    # What the pixel to the left collects reaches this one through the right element of the kernel.
    expected = 0.9 * inner + 0.03 * plain[4:-4, :-8] + 0.02 * plain[4:-4, 8:]
    expected += 0.04 * plain[:-8, 4:-4] + 0.01 * plain[8:, 4:-4]
    assert shared[4:-4, 4:-4] == pytest.approx(expected, abs=1e-12)
    assert np.sum(IPC_KERNEL) == pytest.approx(1)


def test_extra_aberrations_blur():
    plain = optical_psf("WFI07", "F146", settings=SMALL)
    defocused = optical_psf("WFI07", "F146", settings=replace(SMALL, extra_aberrations=(0.1,)))
    assert defocused.stamps.max() < 0.95 * plain.stamps.max()


def test_the_psf_varies_over_the_detector_through_its_nodes():
    psf = optical_psf("WFI18", "F087", (0.0, 4087.0), (0.0, 2000.0, 4087.0), SMALL)
    assert psf.stamps.shape == (3, 2, 65, 65)
    alone = optical_psf("WFI18", "F087", 4087.0, 2000.0, SMALL)
    assert (psf.stamps[1, 1] == alone.stamps[0, 0]).all()
    assert l2_error(psf.stamps[0, 0], psf.stamps[2, 1]) > 0.01


def test_a_stamp_in_the_cache_cannot_be_changed():
    first = optical_psf("WFI07", "F146", settings=SMALL)
    first.stamps[:] = 0.0
    assert optical_psf("WFI07", "F146", settings=SMALL).stamps.max() > 0.1


def test_the_cutoff_is_diameter_over_wavelength():
    assert cutoff_frequency("F146") == pytest.approx(2.36 / 0.93e-6 * np.deg2rad(0.11 / 3600), rel=0.02)
    assert cutoff_frequency("F213") < cutoff_frequency("F062") / 3


@pytest.mark.parametrize("detector", ["WFI00", "WFI19", "SCA07", "7", "WFI", "WFIxx"])
def test_an_unknown_detector_is_refused(detector):
    with pytest.raises(ValueError, match="detector must be"):
        optical_psf(detector, "F146")


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="optical_element must be"):
        optical_psf("WFI01", "GRISM")
    with pytest.raises(ValueError, match=">= 1"):
        OpticsSettings(oversampling=0)
    with pytest.raises(ValueError, match=">= 0"):
        OpticsSettings(jitter=-1.0)
    with pytest.raises(ValueError, match="temperature"):
        band_wavelengths("F146", OpticsSettings(temperature=-5.0))
