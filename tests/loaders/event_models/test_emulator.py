"""Emulators against functions that are known."""

import numpy as np
import pytest

from loaders.event_models.emulator import emulator_of, terms


def rng():
    return np.random.default_rng(3)


def test_terms_are_all_products_of_two_of_one_and_the_parameters():
    at = rng().normal(size=(5, 3))
    some = terms(at)
    full = np.column_stack([np.ones(5), at])
    expected = [full[:, i] * full[:, j] for i in range(4) for j in range(i, 4)]
    np.testing.assert_allclose(some, np.transpose(expected))


def bent(at):
    """Residuals of the second order in two parameters, shape (k, 3)."""
    x, y = at.T
    return np.column_stack([x, (y - 0.5 * x**2) / 0.3, 0.2 * x * y + 1.0])


def test_what_is_of_the_second_order_is_emulated_where_no_draw_was():
    at = rng().normal(size=(40, 2))
    emulator = emulator_of(at, bent(at))
    new = np.array([[0.3, -0.4], [1.1, 0.9], [-0.7, 0.2]])
    expected = -0.5 * np.sum(bent(new) ** 2, axis=1)
    np.testing.assert_allclose(emulator.log_density(new), expected, rtol=1e-3)


def test_what_is_not_is_emulated_best_where_the_density_is_high():
    at = 1.5 * rng().normal(size=(200, 2))

    def curved(z):
        return np.column_stack([np.sinh(z[:, 0]), z[:, 1] - np.cos(z[:, 0])])

    emulator = emulator_of(at, curved(at))
    near, far = np.array([[0.2, 0.9]]), np.array([[2.5, -2.0]])
    off = [abs(emulator.log_density(z)[0] + 0.5 * np.sum(curved(z) ** 2)) for z in (near, far)]
    assert off[0] < 0.1 < off[1]


def test_far_from_all_draws_nothing_is_likely():
    """A parameter on which nothing depends: the density falls all the same."""
    at = rng().normal(size=(60, 2))
    emulator = emulator_of(at, np.column_stack([at[:, 0], np.zeros(60)]))
    inside, beyond = emulator.log_density(np.array([[0.0, 1.0], [0.0, 20.0]]))
    assert inside == pytest.approx(0.0, abs=1e-3)
    assert beyond < -50
    np.testing.assert_array_equal(emulator.beyond(np.array([[0.0, 1.0], [0.0, 20.0]])) > 0, [False, True])


def test_draws_in_one_place_make_no_emulator():
    with pytest.raises(np.linalg.LinAlgError):
        emulator_of(np.zeros((30, 2)), np.ones((30, 4)))
