"""Configurations of aXe and GRISMCONF, against their definitions written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from loaders.rejection import Rejected
from loaders.spectral_geometry.configuration import read_configuration
from tests.loaders.spectral_geometry.conftest import AXE, GRISMCONF


def written(tmp_path, text):
    path = tmp_path / "made_up.conf"
    path.write_text(text)
    return path


def test_grismconf_sends_light_where_its_polynomials_say(tmp_path):
    reference = read_configuration(written(tmp_path, GRISMCONF))
    dispersion = reference.on("WFI01")
    x, y, t = 300.0, 1200.0, np.linspace(0, 1, 7)
    wavelength = 9900 + 0.01 * x + 0.02 * y + 9400 * t + 50 * t**2
    dx = 2.0 + 1e-4 * x - 2e-4 * y + t * (-5.0 + 2e-4 * x + 1e-4 * y)
    dy = -400.0 + 1e-3 * x + 2e-3 * y + 1e-7 * x**2 - 2e-7 * x * y + 3e-7 * y**2
    dy = dy + t * (850.0 + 2e-3 * x - 1e-3 * y + 1e-7 * x * y) + 4 * t**2
    found = dispersion.disperse(1, np.array([x]), np.array([y]), wavelength / 1e4)
    np.testing.assert_allclose(found[0][0], x + dx, atol=1e-8)
    np.testing.assert_allclose(found[1][0], y + dy, atol=1e-8)
    assert reference.optical_element == "G150"
    assert sorted(reference.orders) == [0, 1]
    centre = 9900 + 0.03 * 2043.5
    np.testing.assert_allclose(reference.wavelength_range[1], ((centre) / 1e4, (centre + 9450) / 1e4))


def test_axe_counts_wavelengths_along_the_path(tmp_path):
    dispersion = read_configuration(written(tmp_path, AXE)).on("WFI01")
    x, y = 500.0, 800.0
    bend = (0.02 + 1e-6 * x + 2e-6 * y, 1e-4)
    for offset in (-60.0, -3.0, 40.0, 75.0):
        path, _ = quad(lambda d: np.hypot(1, bend[0] + 2 * bend[1] * d), 0, offset)
        wavelength = 14000 + 0.1 * x + 0.2 * y + (46.0 + 1e-4 * x) * path
        along = 0.5 + 1e-4 * x + bend[0] * offset + bend[1] * offset**2
        found = dispersion.disperse(1, np.array([x]), np.array([y]), np.array([wavelength / 1e4]))
        assert found[0][0, 0] == pytest.approx(x + 1.5 + offset, abs=1e-7)
        assert found[1][0, 0] == pytest.approx(y + along - 0.25 + 1e-4 * x + 2e-4 * y, abs=1e-7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no order is defined"),
        ("words only", "no order is defined"),
        ("DISPL_1_0 1\nDISPL_1_1 1", "lacks the keyword 'DISPX_1_0'"),
        (GRISMCONF.replace("DISPY_1_1 ", "DISPY_1_7 "), "lacks the keyword 'DISPY_1_1'"),
        (GRISMCONF.replace("1e-4 -2e-4", "1e-4"), "1, 3, 6, 10 … coefficients, got 2"),
        (GRISMCONF.replace("9400", "nan"), "must be finite numbers"),
        (AXE.replace("BEAMA -60 75", "BEAMA left right"), "could not convert"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_said(tmp_path, text, said):
    with pytest.raises(Rejected, match=r"made_up\.conf") as caught:
        read_configuration(written(tmp_path, text))
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Rejected, match="no such file"):
        read_configuration(tmp_path / "none.conf")
