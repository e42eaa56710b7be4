"""Events whose lens is known, as their models would be stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.lens_physics.model import StoredModel
from loaders.lens_physics.source import Dust
from loaders.lens_physics.surface_brightness import SCATTER, surface_brightness

PLACE = (267.8, -29.5)
PAIR = ("F087", "F146")
T_0 = 2_461_450.0

#: mas per solar mass; kappa as the literature has it.
KAPPA = 8.144

DUST = {"F087": Dust(2.0, 0.03), "F146": Dust(0.8, 0.02), "F213": Dust(0.35, 0.02)}


@dataclass(frozen=True)
class Truth:
    """A lens (solar masses, kpc), a source (kpc, mas, colour without dust), and motion (mas/yr, rad)."""

    mass: float = 0.5
    lens: float = 5.0
    source: float = 8.2
    theta_star: float = 6e-4
    colour: float = -0.05
    mu: float = 6.0
    angle: float = 0.6

    @property
    def pi_rel(self):
        return 1 / self.lens - 1 / self.source

    @property
    def theta_e(self):
        return np.sqrt(KAPPA * self.mass * self.pi_rel)

    @property
    def pi_e(self):
        return np.sqrt(self.pi_rel / (KAPPA * self.mass))

    @property
    def parameters(self):
        return {
            "t_0": T_0,
            "u_0": 0.02,
            "t_E": self.theta_e / self.mu * 365.25,
            "rho": self.theta_star / self.theta_e,
            "pi_E_N": self.pi_e * np.cos(self.angle),
            "pi_E_E": self.pi_e * np.sin(self.angle),
        }


def fluxes(truth, dust=DUST, rng=None):
    """Fluxes in nJy of a star of that size and colour; with random numbers, beside the relation."""
    relation = surface_brightness()
    radius = truth.theta_star
    if rng is not None:
        radius = radius / np.exp(rng.normal(0, SCATTER[PAIR]))
        dust = {name: Dust(rng.normal(one.extinction, one.error), one.error) for name, one in dust.items()}
    blue, red = (relation.magnitude[one] for one in PAIR)
    middle = np.interp(truth.colour, blue - red, np.arange(blue.size))
    out = {}
    for element, magnitudes in relation.magnitude.items():
        surface = np.interp(middle, np.arange(blue.size), magnitudes)
        magnitude = surface - 5 * np.log10(2 * radius) + dust[element].extinction
        out[element] = float(10 ** ((31.4 - magnitude) / 2.5))
    return out


def stored(truth=Truth(), *, relative=0.02, pi_err=0.01, rng=None, elements=("F146", "F087"), **more):
    """The model of an event; with random numbers, its values are off by their errors."""
    value = truth.parameters
    source = fluxes(truth, rng=rng)
    flux = {(one, 1): source[one] for one in elements} | {(one, 0): 0.3 * source[one] for one in elements}
    names = [*value, *(f"{one}_{number}" for one, number in flux)]
    centre = np.array([*value.values(), *flux.values()])
    error = relative * np.abs(centre)
    error[0], error[4], error[5] = 1e-3, pi_err, pi_err
    # Where t_E is longer the source is fainter.
    correlation = np.eye(len(names))
    for k, name in enumerate(names):
        if name.endswith("_1"):
            correlation[2, k] = correlation[k, 2] = -0.5
    covariance = correlation * np.outer(error, error)
    if rng is not None:
        centre = rng.multivariate_normal(centre, covariance)
    some = {
        "value": dict(zip(value, centre, strict=False)),
        "error": dict(zip(value, error, strict=False)),
        "flux": dict(zip(flux, centre[len(value) :], strict=True)),
        "t_0_par": T_0,
        "covariance_of": names,
        "covariance": covariance,
    } | more
    return StoredModel("1L1S_finite_parallax", 1, 1, **some)


def without(model, *names, **more):
    """The same model without some of its parameters."""
    keep = [k for k, name in enumerate(model.covariance_of) if name not in names]
    return StoredModel(
        more.get("name", model.name),
        model.n_lens,
        model.n_source,
        {name: one for name, one in model.value.items() if name not in names},
        {name: one for name, one in model.error.items() if name not in names},
        model.flux,
        None if "pi_E_N" in names else model.t_0_par,
        [model.covariance_of[k] for k in keep],
        model.covariance[np.ix_(keep, keep)],
    )
