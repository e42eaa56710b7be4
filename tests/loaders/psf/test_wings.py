"""Cores on wings: nothing changes where both agree, and the core rules inside."""

import numpy as np
import pytest

from loaders.psf.model import EffectivePsf
from loaders.psf.wings import BLEND, with_wings


def gaussian(half_width: int, sigma: float = 1.0, oversampling: int = 4) -> EffectivePsf:
    """Gaussian of unit flux sampled on one stamp."""
    axis = np.arange(-half_width * oversampling, half_width * oversampling + 1) / oversampling
    profile = np.exp(-0.5 * (axis / sigma) ** 2) / np.sqrt(2 * np.pi) / sigma
    stamp = np.outer(profile, profile)
    return EffectivePsf(stamp[None, None], oversampling, np.array([0.0]), np.array([0.0]))


def test_a_core_of_the_same_psf_changes_nothing():
    wide = gaussian(20, sigma=3.0)
    joined = with_wings(gaussian(8, sigma=3.0), wide)
    assert np.allclose(joined.stamps, wide.stamps, atol=1e-15)


def test_the_core_rules_inside_and_the_wings_outside():
    core, wide = gaussian(8, sigma=1.0), gaussian(20, sigma=5.0)
    joined = with_wings(core, wide)
    middle, inside = joined.size // 2, int((8 - BLEND) / np.sqrt(2)) * 4
    part = slice(middle - inside, middle + inside + 1)
    centre = core.size // 2
    kept = slice(centre - inside, centre + inside + 1)
    assert np.array_equal(joined.stamps[0, 0, part, part], core.stamps[0, 0, kept, kept])
    assert np.array_equal(joined.stamps[0, 0, 0], wide.stamps[0, 0, 0])
    assert joined.stamps[0, 0, middle, middle - 8 * 4] == wide.stamps[0, 0, middle, middle - 8 * 4]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="wider than"):
        with_wings(gaussian(8), gaussian(8))
    with pytest.raises(ValueError, match="oversampling 4"):
        with_wings(gaussian(8), gaussian(20, oversampling=2))
