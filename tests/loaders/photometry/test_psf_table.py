"""The fast evaluation of a PSF against its closed form and against the package's reference renderer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.photometry.psf_table import BEFORE, STAMP, Planes, PsfTable, blend, fill_stamp
from loaders.psf.model import EffectivePsf
from tests.loaders.photometry.scenes import gaussian_psf, pixel_gaussian

TABLE = PsfTable.of(gaussian_psf())
NARROW = PsfTable.of(gaussian_psf(half_width=3))
VARYING = gaussian_psf(nodes=(0.0, 100.0, 300.0))


def one_psf(table: PsfTable, x: float = 0.0) -> Planes:
    planes = table.core
    buffer = np.empty(planes.coefficient.shape[1:], dtype=np.float32)
    return blend(planes, table.nodes(np.array([x]), np.array([0.0])), 0, buffer)


def stamp(psf: Planes, x: float, y: float, order: tuple[int, int] = (0, 0)) -> np.ndarray:
    out = np.empty((STAMP, STAMP), dtype=np.float32)
    fill_stamp(psf, (x, y), order, out)
    return out


def offsets(position: float) -> np.ndarray:
    return np.floor(position) - BEFORE + np.arange(STAMP) - position


@settings(deadline=None)
@given(x=st.floats(-3, 500), y=st.floats(-3, 500))
def test_a_stamp_is_the_closed_form_at_any_phase(x, y):
    expected = np.outer(pixel_gaussian(offsets(y), 0.8), pixel_gaussian(offsets(x), 0.8))
    np.testing.assert_allclose(stamp(one_psf(TABLE), x, y), expected, atol=3e-5)


@settings(deadline=None, max_examples=30)
@given(x=st.floats(10, 20), y=st.floats(10, 20), axis=st.integers(0, 1))
def test_derivatives_are_those_of_the_closed_form(x, y, axis):
    step = 1e-4
    forward = [pixel_gaussian(offsets(v) + step * (k == axis), 0.8) for k, v in enumerate((x, y))]
    back = [pixel_gaussian(offsets(v) - step * (k == axis), 0.8) for k, v in enumerate((x, y))]
    expected = (np.outer(forward[1], forward[0]) - np.outer(back[1], back[0])) / (2 * step)
    order = (1, 0) if axis == 0 else (0, 1)
    np.testing.assert_allclose(stamp(one_psf(TABLE), x, y, order), expected, atol=1e-3)


@settings(deadline=None, max_examples=30)
@given(x=st.floats(10, 11), y=st.floats(10, 11))
def test_beyond_the_support_there_is_nothing(x, y):
    values = stamp(one_psf(NARROW), x, y)
    inside = (np.abs(offsets(y)) <= 3)[:, None] & (np.abs(offsets(x)) <= 3)[None, :]
    assert not values[~inside].any()
    assert (values[inside] > 0).all()


@pytest.mark.parametrize("x", [-50.0, 0.0, 40.0, 100.0, 250.0, 300.0, 900.0])
def test_nodes_are_blended_as_the_model_says(x):
    psf = one_psf(PsfTable.of(VARYING), x)
    step, centre = VARYING.oversampling, (VARYING.size - 1) // 2
    expected = VARYING.at(x, 0.0)[centre % step :: step, centre % step :: step]
    np.testing.assert_allclose(stamp(psf, 20.0, 20.0)[:11, :11], expected, atol=1e-6)


def test_the_radius_leaves_out_what_is_below_the_floor():
    table = PsfTable.of(gaussian_psf(sigma=2.0, half_width=14))
    flux, floor = np.array([0.0, 10.0, 1e3, 1e5, 1e9]), 0.01
    radius = table.radius(flux, floor)
    assert radius[0] == STAMP // 2
    assert radius[-1] == 14
    assert (np.diff(radius) >= 0).all()
    beyond = pixel_gaussian(np.ceil(radius + 1e-9), 2.0) * pixel_gaussian(np.array([0.0]), 2.0)
    assert (flux * beyond)[radius < 14].max() <= floor


def test_a_psf_with_negative_wings_has_a_positive_envelope():
    stamps = -np.ones((1, 1, 9, 9)) * 1e-3
    stamps[..., 4, 4] = 1.0
    table = PsfTable.of(EffectivePsf(stamps, 1, np.zeros(1), np.zeros(1)))
    assert table.envelope == pytest.approx([1, 1e-3, 1e-3, 1e-3, 1e-3])
