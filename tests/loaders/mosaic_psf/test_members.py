"""The PSF of a mosaic: turned, blurred and averaged as its exposures are."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.mosaic_psf.members import Member, psf_of_mosaic, spread_out
from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import dropped, mosaic_psf
from loaders.wfi.projection_fit import fit_projection


def gaussian(x_sigma, y_sigma, oversampling=4, half=15):
    offset = np.arange(-half * oversampling, half * oversampling + 1) / oversampling
    stamp = np.exp(-0.5 * ((offset / x_sigma) ** 2 + (offset[:, None] / y_sigma) ** 2))
    stamp /= 2 * np.pi * x_sigma * y_sigma
    return EffectivePsf(stamp[None, None], oversampling, np.zeros(1), np.zeros(1))


def widths(psf):
    """Second moments xx, yy and xy in pixels."""
    stamp = psf.stamps[0, 0] / psf.stamps[0, 0].sum()
    offset = (np.arange(psf.size) - psf.size // 2) / psf.oversampling
    x, y = np.meshgrid(offset, offset)
    return [(stamp * one).sum() for one in (x * x, y * y, x * y)]


def sky(turn=0.0, scale=0.055, size=100):
    """A tangent plane whose y axis has a position angle, radians; x runs west."""
    matrix = np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * scale

    def to_sky(x, y):
        east, north = np.tensordot(matrix, np.stack([x - (size - 1) / 2, y - (size - 1) / 2]), 1) / 3600
        return 30.0 + east, 0.0 + north

    return fit_projection(to_sky, (size, size))


NORTH_UP = np.diag([-0.11, 0.11])


@pytest.mark.parametrize("pixfrac", [0.0, 0.5, 1.0])
def test_drops_blur_by_their_square(pixfrac):
    psf = dropped(gaussian(1.5, 1.5), pixfrac)
    xx, yy, xy = widths(psf)
    expected = 1.5**2 + pixfrac**2 / 12
    assert (xx, yy) == pytest.approx((expected, expected), rel=0.02)
    assert xy == pytest.approx(0, abs=1e-9)
    assert psf.stamps.sum() == pytest.approx(gaussian(1.5, 1.5).stamps.sum(), rel=1e-6)


def test_a_grid_that_is_turned_turns_the_psf():
    member = Member("WFI01", 61500.0, (0.0, 0.0), NORTH_UP)
    psf = gaussian(2.0, 1.2)
    upright = widths(psf_of_mosaic([(member, psf)], sky(0.0), 0.0))
    assert upright == pytest.approx(widths(mosaic_psf(psf, NORTH_UP, 0.055)), rel=1e-3, abs=1e-6)
    on_its_side = widths(psf_of_mosaic([(member, psf)], sky(np.pi / 2), 0.0))
    assert on_its_side[:2] == pytest.approx(upright[1::-1], rel=1e-3)
    aslant = widths(psf_of_mosaic([(member, psf)], sky(np.pi / 4), 0.0))
    assert aslant[0] == pytest.approx(aslant[1], rel=1e-3)
    assert abs(aslant[2]) == pytest.approx((upright[0] - upright[1]) / 2, rel=1e-2)


def test_members_are_averaged():
    member = Member("WFI01", 61500.0, (0.0, 0.0), NORTH_UP)
    turned = Member("WFI01", 61500.0, (0.0, 0.0), np.array([[0.0, 0.11], [0.11, 0.0]]))
    psf = gaussian(2.0, 1.2)
    xx, yy, _ = widths(psf_of_mosaic([(member, psf), (turned, psf)], sky(), 0.0))
    assert xx == pytest.approx(yy, rel=1e-6)


def test_some_of_many_are_spread():
    assert spread_out(range(10), 20) == list(range(10))
    assert spread_out(range(101), 3) == [0, 50, 100]
