"""Fits from one place, against light curves by VBMicrolensing."""

from dataclasses import replace

import numpy as np
import pytest
import VBMicrolensing

from loaders.event_models.kinds import BINARY, POINT, TWO_SOURCES, parameters_of, path, turned
from loaders.event_models.one_fit import fit_from
from loaders.event_models.setting import Setting
from loaders.stored_curve.band import Band

ZERO = 2_461_500.0
TRUTH = np.array(
    [ZERO, 0.38, np.log(14.5), np.log(2.39), np.log(3.8e-4), np.radians(11.0), np.log(1.16e-3), -0.03, -0.09]
)
OFF = 0.3 * np.array([0.003, 0.004, -0.004, 0.008, 0.03, -0.003, 0.0, 0.05, 0.08])
"""About how far from the truth fits begin."""

TIME = ZERO + np.concatenate(
    [np.arange(-45, -29, 2.0), np.arange(-28.4, -28.1, 12.1 / 1440), np.arange(-27.6, 45, 2.0)]
)
"""A planet's caustic is crossed 28.3 days before the peak, each exposure of which is there."""


def setting_of(band):
    return Setting([band], 268.0, -29.3, ZERO, True, np.zeros(1))


def bright_crossing():
    """A light curve without noise whose errors are 0.2 % of the flux."""
    none = Band("F146", TIME, np.ones(TIME.size), np.ones(TIME.size))
    x, y = turned(*path(BINARY, setting_of(none).view([none], 1e-5), TRUTH), TRUTH[5])
    engine = VBMicrolensing.VBMicrolensing()
    engine.Tol = engine.RelTol = 1e-5
    s, q, rho = np.exp(TRUTH[[3, 4, 6]])
    curve = np.array([engine.BinaryMag2(s, q, a, b, rho) for a, b in zip(x, y, strict=True)])
    flux = 1000 * curve + 200
    return Band("F146", TIME, flux, 0.002 * flux)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [0, 3])
def test_sharp_fits_of_a_bright_crossing_come_to_the_truth_where_others_stop_above(seed):
    band = bright_crossing()
    setting = setting_of(band)
    begin = TRUTH + OFF * np.random.default_rng(seed).normal(size=9)
    given = replace(parameters_of(BINARY, begin), enough=0.01)
    view = setting.view([band], setting.sharp)
    usual, sharp = (fit_from(BINARY, view, begin, 20, given, one) for one in (False, True))
    assert usual.chi2 > 0.2
    assert sharp.chi2 < 0.05
    assert abs(sharp.parameter[3] - TRUTH[3]) < 1e-4
    assert abs(sharp.parameter[4] - TRUTH[4]) < 5e-3


@pytest.mark.parametrize("kind", [POINT, TWO_SOURCES])
def test_kinds_without_caustics_have_sharp_fits_that_come_to_the_same(kind):
    u = np.hypot(0.1, (TIME - ZERO) / 14.5)
    flux = 1000 * (u**2 + 2) / (u * np.sqrt(u**2 + 4)) + 200
    band = Band("F146", TIME, flux, 0.01 * flux)
    begin = np.array([ZERO + 0.1, 0.12, np.log(13.0)] + ([ZERO + 5.0, 0.5] if kind is TWO_SOURCES else []))
    view = setting_of(band).view([band], 1e-4)
    usual, sharp = (fit_from(kind, view, begin, sharp=one) for one in (False, True))
    assert sharp.chi2 < 1e-2
    assert sharp.parameter[0] == pytest.approx(usual.parameter[0], abs=0.02)
