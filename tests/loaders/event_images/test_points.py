"""Points of images in place of stored ones."""

import numpy as np

from loaders.event_efficiency.trial import attempt, inject
from loaders.event_images.found import ImageTrial, attempt_images
from loaders.event_images.points import ImagePoints, remeasured
from tests.loaders.event_efficiency.stars import RULES, constant, trial


def test_points_go_to_their_exposures_and_others_are_not_measured():
    curve = constant()
    exposure = np.arange(curve.time.size)[::-1] * 32 + 7
    chosen = np.random.default_rng(2).permutation(curve.time.size)[:50]
    flux = chosen.astype(np.float32)
    measured = ImagePoints(exposure[chosen], flux, 2 * flux, (chosen % 4).astype(np.uint16))
    out = remeasured(curve, exposure, measured)
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(out.flux)), np.sort(chosen))
    np.testing.assert_array_equal(out.flux[chosen], flux)
    np.testing.assert_array_equal(out.error[chosen], 2 * flux)
    np.testing.assert_array_equal(out.flags[chosen], chosen % 4)
    assert out.time is curve.time
    assert not remeasured(curve, exposure, None).counting(0).any()
    # The curve itself stays.
    assert np.isfinite(curve.flux).all()


def test_what_images_say_is_found_as_the_same_points_in_light_curves_are():
    """Where both levels have the same points, all that is found is the same."""
    for number in range(3):
        one = trial(number)
        rng = np.random.default_rng([one.setup.seed, one.number])
        baseline = {curve.name: curve.mean(RULES.excluding_flags) for curve in one.curves}
        truth, curves = inject(one, baseline, rng)
        assert attempt_images(ImageTrial(one, curves, truth)) == attempt(one)


def test_a_star_that_no_image_shows_has_no_points():
    one = trial()
    exposure = np.arange(one.curves[0].time.size)
    dark = [remeasured(one.curves[0], exposure, None)]
    without = type(one)(one.number, one.object_id, one.place, dark, one.setup, RULES)
    (attempted,) = attempt_images(ImageTrial(without, dark, {"t_0": 0.0, "t_E": 1.0}))
    assert (attempted.classification, attempted.is_failed, attempted.is_found) == ("no_points", True, False)
