"""Spectra of galaxies in Roman's bands, against synphot and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units
from synphot import Observation, SourceSpectrum, SpectralElement
from synphot.models import Empirical1D

from loaders.rejection import Rejected
from loaders.simulation.instrument_tables import effective_area
from loaders.static_catalog.templates import (
    _WAVELENGTH,
    _band_fluxes,
    redshift_grid,
    rest_spectra,
    template_grid,
    transmission,
)


def test_fluxes_are_those_of_synphot():
    grid = template_grid(["F106", "F158"], np.array([0.0, 0.7]))
    names, spectra = rest_spectra()
    row = names.index("Sbc")
    for z_row, z in enumerate(grid.redshift):
        for element_row, element in enumerate(grid.elements):
            band = effective_area("WFI01", element)
            shape = SpectralElement(
                Empirical1D, points=band.wavelength * 1e10, lookup_table=band.area / band.area.max()
            )
            source = SourceSpectrum(
                Empirical1D, points=_WAVELENGTH * (1 + z) * units.AA,
                lookup_table=spectra[row] / (1 + z) * units.Unit("erg / (s cm2 AA)"),
            )  # fmt: skip
            expected = Observation(source, shape, force="taper").effstim("fnu").value
            # Synphot's F_nu: F_lambda in Angstrom times lambda**2 / c; a constant is common to all.
            ratio = grid.flux[z_row, row, element_row] / expected
            if z_row == element_row == 0:
                first = ratio
            assert ratio == pytest.approx(first, rel=5e-3)


def test_a_flat_spectrum_has_no_colour():
    flat = (_WAVELENGTH**-2.0)[None]
    f106, f213 = (_band_fluxes(e, flat, np.zeros(1))[0, 0] for e in ("F106", "F213"))
    assert f106 == pytest.approx(f213, rel=1e-3)


def test_spectra_run_from_red_to_blue():
    names, spectra = rest_spectra()
    assert len(set(names)) == len(names) == len(spectra) == 15
    blue, red = (np.searchsorted(_WAVELENGTH, w) for w in (3000, 9000))
    assert (np.diff(spectra[:, blue] / spectra[:, red]) > 0).all()


def test_hydrogen_absorbs_as_madau_found():
    """Decrements observed between Lyman beta and alpha are about 0.3 at z = 3 and 0.5 at z = 4."""
    for z, expected in ((3.0, 0.7), (4.0, 0.5)):
        observed = np.linspace(1050, 1170, 50) * (1 + z)
        assert transmission(observed, z).mean() == pytest.approx(expected, abs=0.04)
    assert (transmission(np.array([8000.0]), 3.0) == 1).all()
    assert transmission(np.array([800.0 * 5]), 4.0)[0] < 0.1


def test_redshifts_are_spaced_by_one_plus_z():
    z = redshift_grid(6.0, 0.01)
    assert (z[0], z[-1] > 5.9, z[-1] <= 6.0) == (0, True, True)
    np.testing.assert_allclose(np.diff(z) / (1 + z[:-1]), 0.01)


def test_an_unknown_band_is_refused():
    with pytest.raises(Rejected) as caught:
        template_grid(["F999"], np.zeros(1))
    assert caught.value.code == "unknown_band"
