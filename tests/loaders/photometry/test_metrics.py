"""Quality of blocks, from arrays alone."""

import numpy as np
import pytest

from loaders.photometry.metrics import psf_metrics

MJD = np.array([61465.1, 61465.5, 61466.9])
NONE = np.nan


@pytest.mark.parametrize(
    ("psf_epoch", "expected"),
    [
        ([61465.4, 61465.4, 61466.4], {"psf_is_optics": 0.0, "psf_age_days": 0.5}),
        ([61465.4, 61465.4, 61465.4], {"psf_is_optics": 0.0, "psf_age_days": 1.5}),
        ([NONE, NONE, 61467.0], {"psf_is_optics": 2 / 3, "psf_age_days": 0.1}),
        ([NONE, NONE, NONE], {"psf_is_optics": 1.0}),
    ],
)
def test_age_of_psfs(psf_epoch, expected):
    assert dict(psf_metrics(MJD, np.array(psf_epoch))) == pytest.approx(expected)
