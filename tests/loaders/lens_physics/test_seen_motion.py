"""Lenses whose motion was seen in images: the Einstein radius comes out without the size of the source."""

import numpy as np
import pytest

from loaders.lens_physics.describe import describe
from loaders.lens_physics.relations import velocity_of_earth
from loaders.lens_physics.seen_motion import SeenMotion, best_motion, einstein_radius
from tests.loaders.lens_physics.events import DUST, PLACE, Truth, stored, without


def seen(truth, t_0, error=0.1):
    """The heliocentric motion of a lens."""
    north, east = velocity_of_earth(t_0, *PLACE)
    moving = truth.mu * np.array([np.sin(truth.angle), np.cos(truth.angle)])
    east, north = moving + truth.pi_rel * np.array([east, north])
    return SeenMotion("chromatic_shift", east, north, error**2 * np.eye(2))


@pytest.mark.parametrize("angle", [0.6, 2.5, 5.0])
@pytest.mark.parametrize("lens", [1.0, 5.0, 7.5])
def test_the_radius_of_a_known_lens(angle, lens):
    truth = Truth(angle=angle, lens=lens)
    t_e = np.full(4, truth.parameters["t_E"])
    earth = velocity_of_earth(2461450.0, *PLACE)
    motion = seen(truth, 2461450.0, 1e-9).draws(4, np.random.default_rng(1))
    got = einstein_radius(motion, t_e, np.full(4, truth.pi_e), earth, np.random.default_rng(2))
    np.testing.assert_allclose(got, truth.theta_e, rtol=1e-6)


def rows(description, method="measured"):
    return {one.name: one for one in description.quantities if one.method == method}


def test_the_mass_follows_from_motion_and_parallax():
    truth = Truth(source=8.6)
    model = without(stored(truth), "rho")
    one = describe(model, PLACE, DUST, 1, motion=seen(truth, model.t_0))
    assert (one.status, one.rho, one.motion_method) == ("mass_measured", "not_fitted", "chromatic_shift")
    found = rows(one)
    for name, value in (("thetaE", truth.theta_e), ("mu_rel", truth.mu), ("Mtot", truth.mass)):
        assert found[name].value == pytest.approx(value, rel=0.06), name
        assert found[name].lower < value < found[name].upper, name


def test_without_parallax_the_radius_follows_with_a_wider_error():
    truth = Truth()
    model = without(stored(truth), "rho", "pi_E_N", "pi_E_E")
    motion = seen(truth, model.t_0)
    one = describe(model, PLACE, DUST, 1, motion=motion)
    assert (one.status, one.parallax) == ("theta_e_measured", "not_fitted")
    found = rows(one)
    assert found["thetaE"].lower < truth.theta_e < found["thetaE"].upper
    assert found["mu_rel_hel"].value == pytest.approx(np.hypot(motion.east, motion.north), rel=0.03)
    assert found["mu_rel_hel_E"].value == pytest.approx(motion.east, abs=0.02)
    # The Galaxy is asked for the rest.
    assert rows(one, "prior")["Mtot"].value > 0


def test_the_size_of_the_source_goes_first():
    truth = Truth()
    motion = SeenMotion("elongation", 99.0, 0.0, np.eye(2))
    one = describe(stored(truth), PLACE, DUST, 1, motion=motion)
    assert one.motion_method is None
    assert one.quantities == describe(stored(truth), PLACE, DUST, 1).quantities


def test_a_motion_that_no_radius_has_is_not_used():
    # So large a parallax that the Earth would have to be faster.
    t_e = np.full(3, 3000.0)
    earth = velocity_of_earth(2461450.0, *PLACE)
    motion = SeenMotion("elongation", 1.0, 0.0, 1e-6 * np.eye(2)).draws(3, np.random.default_rng(1))
    assert np.isnan(einstein_radius(motion, t_e, np.full(3, 5.0), earth, np.random.default_rng(2))).all()


def two(east=5.0, is_sided=True):
    shift = SeenMotion("chromatic_shift", 4.0, 3.0, np.diag([1.0, 0.25]))
    return [shift, SeenMotion("elongation", east, 3.4, np.diag([0.25, 1.0]), is_sided)]


def test_two_motions_that_agree_are_averaged():
    best = best_motion(two())
    assert best.method == "weighted_mean"
    # East with weights 1 and 4, north with 4 and 1.
    assert (best.east, best.north) == pytest.approx(((4 + 4 * 5) / 5, (4 * 3 + 3.4) / 5))
    assert best.covariance == pytest.approx(np.diag([0.2, 0.2]))


def test_of_two_motions_that_do_not_agree_the_better_known_counts():
    best = best_motion(two(east=12.0))
    assert (best.method, best.east) == ("elongation", 12.0)
    assert best_motion(two()[:1]).method == "chromatic_shift"
    assert best_motion([]) is None


def test_the_side_is_that_of_the_method_that_knows_it():
    shift, drawn_out = two(is_sided=False)
    turned = best_motion([shift, drawn_out.opposite])
    assert (turned.method, turned.is_sided) == ("weighted_mean", True)
    assert (turned.east, turned.north) == pytest.approx((best_motion(two()).east, best_motion(two()).north))
    assert best_motion([shift, two()[1].opposite]).method == "elongation"
