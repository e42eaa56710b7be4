"""Level-2 files and a catalog become light curves that agree with the truth, by the commands of the guide."""

from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa

from bench.accuracy import BINS, bias, in_bin, joined, pull_width, rms_over_bound, usual, zero_point
from bench.sample import read_truth, sample_directory
from roman_db import session

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1800)]

#: mmag, zero point included: twice the daily run's limit for the drift of one exposure.
LARGEST_BIAS = 20.0


def test_what_is_read_is_loaded_or_rejected(main_job):
    query = "SELECT task, state, n_read, n_loaded, n_rejected FROM ops.load_run ORDER BY load_run_id"
    with session.reading() as connection:
        runs = {row.task: row for row in connection.execute(sa.text(query))}
    assert list(runs) == ["load exposure", "load catalog", "run daily"]
    assert all(run.n_read == run.n_loaded + run.n_rejected for run in runs.values())
    assert (runs["load exposure"].n_loaded, runs["load catalog"].n_loaded) == (3, 40_790)
    assert [run.n_rejected for run in runs.values()] == [0, 0, 0]


def test_points_are_those_of_the_stars_on_the_images(main_job):
    truth = read_truth(sample_directory())
    for number, exposure in enumerate(main_job.exposures):
        place = np.stack([truth[f"x{number}_true"], truth[f"y{number}_true"]])
        assert abs(exposure.flux.size - ((place > -0.5) & (place < 599.5)).all(axis=0).sum()) < 20
        assert np.isfinite(exposure.flux).mean() > 0.99


def test_fluxes_agree_with_the_truth(main_job):
    points = joined(main_job.exposures)
    assert abs(zero_point(points)) < LARGEST_BIAS
    for limits in BINS:
        some = in_bin(usual(points), limits)
        assert some.flux.size > 300
        assert abs(bias(some)) < LARGEST_BIAS


def test_errors_are_nearly_what_they_claim(main_job, request):
    """Wider for the brightest stars, whose errors of the PSF and of the catalog are more than the noise."""
    exact = "exact" in request.node.name
    for limits in BINS[2:]:
        some = in_bin(usual(joined(main_job.exposures)), limits)
        assert 0.9 < pull_width(some) < (1.4 if exact else 2.5)
        assert 0.9 < rms_over_bound(some) < (2.5 if exact else 4.0)


def test_the_star_brightens_as_it_does(main_job):
    """Against its first point, whatever the zero point, and by itself once that of all stars is taken out."""
    assert [round(factor, 1) for factor in main_job.factors] == [1.0, 1.8, 3.2]
    flux, error, truth = (
        np.array([getattr(point, name)[0] for point in main_job.lens])
        for name in ("flux", "flux_err", "truth")
    )
    relative = flux / flux[0]
    relative_error = relative * np.hypot(error / flux, error[0] / flux[0])
    assert (np.abs(relative - main_job.factors) < 3 * relative_error)[1:].all()
    assert (np.diff(flux) > 10 * np.hypot(error[1:], error[:-1])).all()
    own = 10 ** (0.0004 * zero_point(joined(main_job.exposures)))
    assert (np.abs(flux / own - truth) < 3 * error).all()
