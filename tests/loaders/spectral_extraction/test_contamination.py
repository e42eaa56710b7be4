"""Crowded scenes: neighbours with spectra of their own are taken off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.spectral_extraction.contamination import denoised, model_sources, refine
from loaders.spectral_extraction.spectrum import cutout, extract
from tests.loaders.spectral_extraction.scene import Truth, exposed, instrument, noisy, shapes

SIZE = (1100, 50)


def steep(level, slope, line):
    """A continuum that falls or rises, with an emission line."""

    def flux(wavelength):
        bump = 8 * np.exp(-0.5 * ((wavelength - line) / 0.003) ** 2)
        return level * ((wavelength / 1.5) ** slope + bump)

    return flux


@pytest.fixture(scope="module")
def crowd():
    """Eight sources side by side and above one another; the truth and a measured exposure."""
    rng = np.random.default_rng(11)
    truths = [
        Truth(
            float(rng.uniform(8, 42)),
            float(rng.uniform(350, 700)),
            float(rng.uniform(0.8, 2.0)),
            steep(10 ** rng.uniform(-17.3, -15.8), rng.uniform(-4, 4), rng.uniform(1.1, 1.8)),
        )
        for _ in range(8)
    ]
    one = instrument()
    alone = [exposed([truth], one, SIZE) for truth in truths]
    return truths, one, alone, noisy(np.sum(alone, axis=0), 1)


def leftover(model, number, alone, one, frame):
    """Rate of others that is left in the cut-out of a source, weighted by its profile."""
    source = model.sources[number]
    true_other = (np.sum(alone, axis=0) - alone[number])[source.rows.box.slices]
    part = cutout(frame, model, number, one)
    left = (part.other - true_other) * part.profile
    return left.sum(axis=1), part


def test_refined_spectra_leave_a_third_of_what_flat_ones_leave_at_most(crowd):
    truths, one, alone, frame = crowd
    sources = model_sources(shapes(truths, SIZE), one, SIZE)
    level = np.array([float(t.flux(np.linspace(1.0, 1.93, 50)).mean()) for t in truths])
    flat, fine = (refine(frame, sources, one, level, rounds) for rounds in (0, 8))
    left = {}
    for name, model in (("flat", flat), ("fine", fine)):
        rows = [leftover(model, number, alone, one, frame)[0] for number in range(len(truths))]
        left[name] = float(np.sqrt(np.mean(np.concatenate(rows) ** 2)))
    assert left["fine"] < left["flat"] / 3
    pulls = []
    for number in range(len(truths)):
        rows, part = leftover(fine, number, alone, one, frame)
        pulls.append(rows / np.sqrt((part.profile**2 * part.variance).sum(axis=1)))
    assert abs(np.mean(np.concatenate(pulls))) < 0.2


def test_spectra_come_out_of_the_crowd_as_they_were(crowd):
    truths, one, _, frame = crowd
    sources = model_sources(shapes(truths, SIZE), one, SIZE)
    level = np.array([float(t.flux(np.linspace(1.0, 1.93, 50)).mean()) for t in truths])
    model = refine(frame, sources, one, level)
    clear = 0
    for number, truth in enumerate(truths):
        found = extract(frame, model, number, one)
        wavelength = found.calibrated.wavelength
        middle = (wavelength > 1.05) & (wavelength < 1.85)
        expected = truth.flux(wavelength)
        off = (found.calibrated.flux - expected)[middle]
        assert abs(np.mean(off / found.calibrated.error[middle])) < 0.3
        if found.contamination.mean() < 0.3:
            clear += 1
            assert np.median(off / expected[middle]) == pytest.approx(0.0, abs=0.02)
    assert clear >= 3


def test_a_source_without_light_on_the_exposure_has_no_spectrum():
    one = instrument()
    far = shapes([Truth(25.0, 40.0, 1.0, np.ones_like)], SIZE)
    moved = [type(far[0])(s.x + 4000, s.y, s.corner, s.stamp, s.total) for s in far]
    sources = model_sources(moved, one, SIZE)
    frame = noisy(np.zeros(SIZE), 1)
    model = refine(frame, sources, one, np.array([1e-16]))
    assert not model.total.any()
    assert np.isnan(extract(frame, model, 0, one).calibrated.flux).all()


@given(seed=st.integers(0, 10_000), level=st.floats(-3, 3))
@settings(max_examples=20)
def test_denoising_leaves_no_more_noise_than_a_running_mean_of_a_flat_spectrum(seed, level):
    noise = np.random.default_rng(seed).normal(level, 1.0, 500)
    flux, error = denoised(noise, np.ones(500))
    assert np.std(flux - level) < 0.6
    assert np.all(error[50:-50] < 1.02)
