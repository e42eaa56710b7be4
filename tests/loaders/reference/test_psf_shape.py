"""The PSF of a reference over the image, against closed forms; what it follows from is counted."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.psf.model import EffectivePsf
from loaders.reference.frame import ReferenceFrame
from loaders.reference.psf_shape import ServedPsf, origin_row, places, shape_columns, shape_metrics

SCALE = 0.055
FRAME = ReferenceFrame(268.0, -29.2, np.array([[-SCALE, 0.0], [0.0, SCALE]]), (60, 100), 2)
#: Nodes in the middles of the first and last places of a row; widths in fine pixels at them.
NODES, WIDTHS = (9.5, 89.5), (1.5, 2.0)


def stamp(sigma):
    axis = np.arange(-64, 65) / 4
    return np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)


def psf(*stamps):
    x = np.array(NODES[: len(stamps)])
    return EffectivePsf(np.array([stamps]), 4, x, np.array([30.0]))


def served(psf_model_id, n_exposure, is_of_day=True, **others):
    fit = {"n_star": 100, "reduced_chi2": 1.0, "residual_fraction": 0.01} | others
    return ServedPsf(psf_model_id, n_exposure, is_of_day, **fit)


OPTICS = {"n_star": 0, "reduced_chi2": np.nan, "residual_fraction": np.nan}


def test_places_are_middles_of_equal_parts():
    x, y = places((60, 100))
    assert (x.size, y.size) == (25, 25)
    assert (x[12], y[12]) == FRAME.middle
    assert x[:5] == pytest.approx([9.5, 29.5, 49.5, 69.5, 89.5])
    assert y[::5] == pytest.approx([5.5, 17.5, 29.5, 41.5, 53.5])


def test_sizes_are_angles_and_follow_the_nodes():
    found = shape_columns(psf(*map(stamp, WIDTHS)), FRAME)
    width, sigma = (found[name].reshape(5, 5) for name in ("fwhm", "sigma"))
    for column, expected in zip((0, 4), WIDTHS, strict=True):
        assert width[:, column] == pytest.approx(np.sqrt(8 * np.log(2)) * expected * SCALE, rel=3e-3)
        assert sigma[:, column] == pytest.approx(expected * SCALE, rel=1e-4)
    assert (np.diff(sigma, axis=1) > 0).all()
    area = found["noise_equivalent_area"].reshape(5, 5)[:, 0]
    assert area == pytest.approx(4 * np.pi * (WIDTHS[0] * SCALE) ** 2, rel=1e-3)
    assert (found["psf_flags"] == 0).all()
    # The first axis runs west.
    assert (found["ra"][12], found["dec"][12]) == pytest.approx((268.0, -29.2), abs=1e-9)
    east = (found["ra"] - 268.0) * np.cos(np.radians(-29.2)) * 3600
    assert east == pytest.approx(-(found["x"] - 49.5) * SCALE, abs=1e-3)


def test_a_place_that_fails_has_its_row():
    broken = stamp(1.5)
    broken[:] = 0.0
    found = shape_columns(psf(stamp(1.5), broken), FRAME)
    failed = found["psf_flags"].reshape(5, 5)
    assert found["place_number"].tolist() == list(range(25))
    assert (failed[:, :4] == 0).all()
    assert (failed[:, 4] == 3).all()
    assert np.isnan(found["sigma"].reshape(5, 5)[:, 4]).all()
    metrics = shape_metrics(found)
    assert metrics["reference_psf_failed"] == pytest.approx(0.2)
    # The others are the same Gaussian, fainter.
    assert metrics["reference_psf_variation"] == pytest.approx(0.0, abs=1e-3)
    assert metrics["reference_psf_fourth_moment"] == pytest.approx(0.75, abs=1e-4)


def test_metrics_of_a_psf_that_varies_and_of_one_that_is_nothing():
    found = shape_metrics(shape_columns(psf(*map(stamp, WIDTHS)), FRAME))
    first, last = WIDTHS
    assert 0.9 * (last - first) < found["reference_psf_variation"] * (last + first) / 2 < 1.1 * (last - first)
    assert found["reference_psf_ellipticity"] == pytest.approx(0.0, abs=1e-6)
    assert found["reference_psf_third_moment"] == pytest.approx(0.0, abs=1e-6)
    nothing = shape_metrics(shape_columns(psf(np.zeros((129, 129))), FRAME))
    assert nothing.pop("reference_psf_failed") == 1.0
    assert np.isnan(list(nothing.values())).all()


def test_what_it_follows_from_is_counted_by_exposures():
    row = origin_row([
        served(1, 10),
        served(2, 20, n_star=300, reduced_chi2=2.5, residual_fraction=np.nan),
        served(2, 10, False, n_star=300, reduced_chi2=2.5, residual_fraction=np.nan),
        served(None, 40, False, **OPTICS),
    ])  # fmt: skip
    assert row["psf_n_star"] == 400
    assert row["psf_reduced_chi2"] == pytest.approx((10 * 1.0 + 30 * 2.5) / 40)
    assert row["psf_residual_fraction"] == pytest.approx(0.01)
    assert row["psf_fraction_optics"] == pytest.approx(0.5)
    assert row["psf_fraction_other_day"] == pytest.approx(0.125)


def test_of_the_optics_alone_nothing_is_told():
    row = origin_row([served(None, 8, False, **OPTICS)])
    assert row == {
        "psf_n_star": 0,
        "psf_reduced_chi2": None,
        "psf_residual_fraction": None,
        "psf_fraction_optics": 1.0,
        "psf_fraction_other_day": 0.0,
    }


def test_a_turned_frame_has_the_same_sizes():
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    here, there = (
        shape_columns(psf(stamp(1.5)), one) for one in (FRAME, replace(FRAME, matrix=turn @ FRAME.matrix))
    )
    for name in ("fwhm", "sigma", "noise_equivalent_area", "m40"):
        assert here[name] == pytest.approx(there[name], rel=1e-12)
