"""Names of columns and the place in the tessellation."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.static_catalog.names import column, flagged_spatial_id
from loaders.static_catalog.options import CatalogOptions


def test_names_are_built_as_rad_does():
    assert column("aper~radius~_~band~_flux", "f158", 0.4) == "aper04_f158_flux"
    assert column("aper~radius~_~band~_flux", "f158mf213", 1.6) == "aper16_f158mf213_flux"
    assert column("aper_bkg_~band~_flux_err") == "aper_bkg_flux_err"
    assert column("is_extended_~band~") == "is_extended"


def test_place_in_the_tessellation_has_the_documented_bits():
    found = int(flagged_spatial_id("270p65x50y49", 1234, np.array([100.0]), np.array([200.0]), 0.055)[0])
    assert found & 0xFFFF == 110
    assert (found >> 16) & 0xFFFF == 220
    assert ((found >> 32) & 0x7F, (found >> 39) & 0x7F, (found >> 46) & 0x1FFF) == (50, 49, 1234)
    assert found >> 59 == 0


@pytest.mark.parametrize(("cell", "region"), [(None, 3), ("N/A", 3), ("270p65x50y49", None)])
def test_without_cell_or_region_there_is_no_place(cell, region):
    assert flagged_spatial_id(cell, region, np.ones(2), np.ones(2), 0.055).tolist() == [0, 0]


@pytest.mark.parametrize(
    "wrong",
    [{"aperture_radii": (0.25,)}, {"threshold": 0.0}, {"background_box": 0}, {"background_filter": 2}],
)
def test_impossible_options_are_refused(wrong):
    with pytest.raises(ValueError, match="got"):
        CatalogOptions(**wrong)
