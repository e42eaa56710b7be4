"""Searches whose sources would spoil the catalog are refused."""

from types import SimpleNamespace

import numpy as np
import pytest

from loaders.detection.load import _require_sense
from loaders.rejection import Rejected
from roman_db.jobs import Unit

UNIT = Unit("field WFI07 F146 61465", {"reference_image_id": 7})


def found(flux, chi2=1.0):
    flux = np.array(flux, dtype=float)
    return SimpleNamespace(
        x=np.zeros(flux.size), flux=flux, reduced_chi2=np.where(np.isnan(flux), np.nan, chi2)
    )


@pytest.mark.parametrize("flux", [[np.nan, np.nan], [1.0, np.nan, np.nan]])
def test_sources_whose_fit_failed_are_no_objects(flux):
    with pytest.raises(Rejected, match="have no flux") as refused:
        _require_sense(UNIT, found(flux), len(flux))
    assert refused.value.code == "poor_search"


def test_sources_that_do_not_describe_the_image_are_no_objects():
    with pytest.raises(Rejected, match="reduced chi-square 500"):
        _require_sense(UNIT, found([1.0, 2.0], 500.0), 2)


@pytest.mark.parametrize("flux", [[], [1.0], [1.0, 2.0, np.nan]])
def test_others_are(flux):
    assert _require_sense(UNIT, found(flux), len(flux)) is None


def test_a_search_that_lost_all_its_sources_went_astray():
    with pytest.raises(Rejected, match="nothing is left of 900 sources") as refused:
        _require_sense(UNIT, found([]), 900)
    assert "roman-db report reference 7" in refused.value.remedy
