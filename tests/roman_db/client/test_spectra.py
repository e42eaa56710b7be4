"""Spectra by the client, against what was stored."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u

from roman_db.client import NothingFound
from tests.roman_db import spectra as filling


def test_an_object_has_its_spectrum_and_redshift(roman, truth):
    (spectrum,) = roman.spectra(truth.object_id[3])
    assert spectrum.redshift["z"] == filling.Z
    assert spectrum.redshift["class_name"] == "GALAXY"
    assert np.array_equal(spectrum.pixels["flux"], filling.fluxes(), equal_nan=True)
    assert (1 * spectrum.pixels["flux"].unit).to_value(u.W / u.m**2 / u.um) == pytest.approx(1e-20)
    assert len(spectrum.good) == filling.N_PIXEL - 11
    assert spectrum.lines["line_name"].tolist() == ["[OIII]5008", "Halpha"]
    assert spectrum.alternatives["z"].tolist() == [filling.Z_OTHER]
    assert roman.spectra(truth.object_id[4]) == []


def test_what_was_not_fitted_has_no_redshift(roman):
    (row,) = roman.ssa.search(TARGETNAME=filling.UNFITTED)
    spectrum = roman.spectrum(row["spectrum_id"])
    assert np.isnan(spectrum.redshift["z"])
    assert len(spectrum.lines) == len(spectrum.alternatives) == 0
    spectrum.plot().figure.clear()


def test_a_spectrum_that_is_not_there(roman):
    with pytest.raises(NothingFound, match="there is no spectrum 999999"):
        roman.spectrum(999_999)


def test_a_plot_draws_the_flux_and_marks_the_lines(roman, truth):
    (spectrum,) = roman.spectra(truth.object_id[3])
    axes = spectrum.plot()
    assert axes.lines[0].get_ydata() == pytest.approx(np.asarray(spectrum.good["flux"]))
    marked = sorted(line.get_xdata()[0] for line in axes.lines[1:])
    assert marked == pytest.approx([0.500824 * 2.3, 0.656461 * 2.3])
    axes.figure.clear()
