"""Long events of bright stars, whose joined points would say too little."""

import numpy as np

from loaders.light_curve_simulation.magnify import magnification
from loaders.microlensing.judge import judge
from loaders.microlensing.models import models_of
from loaders.microlensing.search import EventSearch
from loaders.stored_curve.band import Band

PLACE = (268.0, -29.2)
BEGIN = 2_461_450.0
SEASONS = (0, 181, 365, 1462, 1644, 1827)
TRUTH = {
    "t_0": BEGIN + 371.0, "t_0_par": BEGIN + 371.0, "t_E": 263.0, "u_0": 0.053,
    "pi_E_N": -0.146, "pi_E_E": -0.562, "rho": 1e-4,
}  # fmt: skip


def test_a_long_event_of_a_bright_star_is_a_single_lens_with_parallax():
    rng = np.random.default_rng(3)
    time = np.concatenate([BEGIN + first + np.arange(0, 70, 12.1 / 1440) for first in SEASONS])
    flux = 1e5 * magnification(TRUTH, time, *PLACE, "F146")
    error = 1.1e-3 * flux
    band = Band("F146", time, flux + error * rng.standard_normal(time.size), error)
    (place,) = EventSearch().best([band])
    best = models_of(judge([band], place), PLACE, two_lenses=False, sampled=False)[0]
    assert best.name == "1L1S_parallax"
    assert best.complete
    assert best.chi2 < time.size + 5 * np.sqrt(2 * time.size)
