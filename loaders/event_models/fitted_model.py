"""The models of an event, in one form for all kinds, and which of them is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loaders.event_models.kinds import ANGLES, KINDS, Kind, View, curves_of, parameters_of, slopes_of
from loaders.event_models.lens_fit import LensFit, derivatives, joint_covariance, solve_fluxes
from loaders.event_models.model_posterior import METHOD, Posterior
from loaders.event_models.rounds import canonical, canonical_signs
from loaders.event_models.setting import NUMERIC, Setting, windows_of
from loaders.event_models.source_pair import unlikeness
from loaders.stored_curve.band import FloatArray

_UNITS = (
    dict.fromkeys(("t_0", "t_0_1", "t_0_2", "t_E", "xi_period"), "d")
    | dict.fromkeys(ANGLES, "deg")
    | {"ds_dt": "yr**-1", "dalpha_dt": "deg.yr**-1"}
)

_QUANTILES = ("value_lower", "value_median", "value_upper")

#: What is added to the information criterion of models, by lenses and sources: what is more common is to be
#: believed more easily, and points that are not independent make every criterion too kind to more parameters.
_SURCHARGE = {(1, 1): 0.0, (1, 2): 10.0, (2, 1): 20.0}

_STILL = 10.0
"""The same of models without parallax. Where it was fitted, one without is a case of it that no telescope in
orbit sees: it holds only if the fit with parallax has failed."""

_COMPONENTS = 2
"""Parameters of the parallax."""


def surcharge(name: str) -> float:
    """What is added to the information criterion of a model by its name, such as ``2L1S_parallax``.

    A source that a dark companion moves is one of two.
    """
    kind = KINDS[name.removesuffix("_parallax")]
    return _SURCHARGE[kind.n_lens, kind.n_source + kind.circles]


@dataclass(frozen=True)
class FittedModel:
    """A model of an event.

    Parameters
    ----------
    kind
        Lenses and sources.
    has_parallax
        Whether the motion of the telescope counts.
    value, error
        Parameters by the names of MulensModel, and their standard errors, NaN where not determined.
    elements
        Optical elements.
    flux
        Shape (n_element, n_source + 1): sources and, last, the blend, nJy.
    error_scale
        Shape (n_element,): by what errors were multiplied.
    chi2, n_point
        Of all points, with these errors.
    t_0_par
        Reference time of parallax, and of what moves besides, BJD (TDB); None without.
    converged
        Whether the fit came to an end.
    complete
        Whether nothing holds together in what it leaves (`loaders.event_models.structure`).
    covariance
        Of the parameters in their order and of the fluxes, those of each element with the blend last; shape
        (n, n) with n as `n_parameter`. None if it is not determined.
    surprise
        What the prior of parallax and orbital motion adds to chi-square.
    limb
        Shape (n_element,): linear limb darkening; None where sources are points.
    posterior
        What the parameters may be; None where it was not sampled, or could not be.
    """

    kind: Kind
    has_parallax: bool
    value: Mapping[str, float]
    error: Mapping[str, float]
    elements: Sequence[str]
    flux: FloatArray
    error_scale: FloatArray
    chi2: float
    n_point: int
    t_0_par: float | None
    converged: bool
    complete: bool
    covariance: FloatArray | None = None
    surprise: float = 0.0
    limb: FloatArray | None = None
    posterior: Posterior | None = None

    @property
    def name(self) -> str:
        """Kind, such as ``1L1S_parallax``."""
        return self.kind.name + ("_parallax" if self.has_parallax else "")

    @property
    def n_parameter(self) -> int:
        """Parameters, fluxes included."""
        return len(self.value) + int(self.flux.size)

    @property
    def bic(self) -> float:
        """Bayesian information criterion (Schwarz 1978, Ann. Stat. 6, 461)."""
        return float(self.chi2 + self.n_parameter * np.log(self.n_point))

    @property
    def score(self) -> float:
        """What models are ranked by: the criterion, and the surcharge for what is rare.

        The telescope moves whether that shows or not: what the two components of the parallax cost is what
        their prior says, and no surcharge for parameters.
        """
        seen = -_COMPONENTS * np.log(self.n_point) if self.has_parallax else _STILL
        rare = surcharge(self.name) + self.unlikeness
        return float(self.bic + rare + self.surprise + seen)

    @property
    def unlikeness(self) -> float:
        """What two sources cost that are unlike (`loaders.event_models.source_pair`); 0 for one."""
        if self.kind.n_source < 2 or self.kind.n_lens > 1:
            return 0.0
        return unlikeness(self.flux[:, :2], self.flux_error[:, :2])

    @property
    def flux_error(self) -> FloatArray:
        """Standard errors of `flux`, in its shape; NaN where not determined."""
        if self.covariance is None:
            return np.full(self.flux.shape, np.nan)
        errors = standard_errors(self.covariance)[len(self.value) :]
        return np.array(errors).reshape(self.flux.shape)

    @property
    def covariance_of(self) -> list[str]:
        """What the covariance is of: parameters, and fluxes as ``F146_1``, with 0 for the blend."""
        numbers = [*range(1, self.flux.shape[1]), 0]
        return [*self.value, *(f"{element}_{number}" for element in self.elements for number in numbers)]

    def columns(self) -> dict[str, Any]:
        """Columns of ``roman.event_model``."""
        return {
            "name": self.name,
            "n_lens": self.kind.n_lens,
            "n_source": self.kind.n_source,
            "has_finite_source": self.kind.finite,
            "has_parallax": self.has_parallax,
            "chi2": self.chi2,
            "n_point": self.n_point,
            "n_parameter": self.n_parameter,
            "bic": self.bic,
            "score": self.score,
            "t_0_par": self.t_0_par,
            "is_converged": self.converged,
            "covariance_of": None if self.covariance is None else " ".join(self.covariance_of),
            "covariance": None if self.covariance is None else self.covariance.ravel().tolist(),
            "posterior_method": None if self.posterior is None else METHOD,
            "n_effective": None if self.posterior is None else self.posterior.n_effective,
            "software": "roman-db, VBMicrolensing" if self.kind.n_lens > 1 else "roman-db",
        }

    def parameter_rows(self) -> list[dict[str, Any]]:
        """Columns of ``roman.event_model_parameter``, one a parameter."""
        known = {} if self.posterior is None else self.posterior.quantile
        return [
            {
                "name": name,
                "value": value,
                "err": self.error[name] if np.isfinite(self.error[name]) else None,
                "unit": _UNITS.get(name),
                **dict(zip(_QUANTILES, known.get(name, (None, None, None)), strict=True)),
            }
            for name, value in self.value.items()
        ]

    def sample_rows(self) -> list[dict[str, Any]]:
        """Columns of ``roman.event_model_sample``, one a parameter or flux; none without a posterior."""
        known = {} if self.posterior is None else self.posterior.sample
        return [{"name": name, "sample": sample.tolist()} for name, sample in known.items()]

    def flux_rows(self) -> list[dict[str, Any]]:
        """Columns of ``roman.event_model_flux``: sources from 1, and the blend as source 0."""
        limb = [None] * len(self.elements) if self.limb is None else self.limb.tolist()
        return [
            {
                "optical_element": element,
                "source_number": number,
                "flux": float(flux[number - 1]),
                "flux_err": float(error[number - 1]) if np.isfinite(error[number - 1]) else None,
                "error_scale": float(scale),
                "limb_darkening": dark if number else None,
            }
            for element, flux, error, scale, dark in zip(
                self.elements, self.flux, self.flux_error, self.error_scale, limb, strict=True
            )
            for number in range(flux.size)
        ]


def ranked(models: Sequence[FittedModel]) -> list[FittedModel]:
    """The models of an event, the one that is believed first.

    The order is that of `FittedModel.score`: of all models that describe the light curve equally well the one
    with the fewest parameters is believed, and two lenses or sources only if their gain is clear.
    """
    return sorted(models, key=lambda model: model.score)


def model_of(setting: Setting, kind: Kind, fit: LensFit, error_scale: FloatArray) -> FittedModel:
    """A fit of condensed points, held against all points.

    Parameters
    ----------
    setting
        The event.
    kind
        What was fitted.
    fit
        The fit, with or without parallax.
    error_scale
        Shape (n_band,): by what the errors of the event's light curves had been multiplied.
    """
    with_parallax = fit.parameter.size > len(kind.names(False))
    parameter = canonical(fit.parameter) if kind.n_lens > 1 else fit.parameter
    view = setting.view(setting.bands, setting.fine, dark=True)
    curves = curves_of(kind, view)(parameter, view.points.time)
    flux, residual = solve_fluxes(view.points, curves)
    value, error = _named(kind.names(with_parallax), parameter, fit.covariance)
    if kind.n_source > 1:
        value, error = _numbered(value), _numbered(error)
    return FittedModel(
        *(kind, with_parallax, value, error, view.points.names, flux, error_scale),
        *(float(residual @ residual), residual.size, setting.t_0_par if with_parallax else None),
        *(fit.converged, not windows_of(view, parameter, residual, 1)),
        *(_covariance(kind, view, (parameter, curves, flux), fit), fit.surprise),
        view.limb if kind.finite else None,
    )


def _covariance(
    kind: Kind, view: View, state: tuple[FloatArray, FloatArray, FloatArray], fit: LensFit
) -> FloatArray | None:
    """Covariance of parameters, in their units, and fluxes; None where they are not determined."""
    parameter, curves, flux = state
    signs = canonical_signs(fit.parameter) if kind.n_lens > 1 else np.ones(parameter.size)
    given = parameters_of(kind, parameter)
    model, slopes = curves_of(kind, view), slopes_of(kind, view, given.step)
    try:
        known = derivatives(view.points, model, given, (parameter, curves), slopes)
        turned = fit.covariance * np.outer(signs, signs)
        joint = joint_covariance(view.points, (curves, flux), known, turned)
    except NUMERIC:
        return None
    unit = np.ones(joint.shape[0])
    unit[: parameter.size] = _units(given.names, parameter)
    joint = joint * np.outer(unit, unit)
    return joint if np.isfinite(joint).all() else None


def standard_errors(covariance: FloatArray) -> list[float]:
    """Standard errors; NaN where the parameters are not determined."""
    variance = np.diag(covariance)
    return [float(error) for error in np.sqrt(np.where(variance > 0, variance, np.nan))]


def _units(names: Sequence[str], parameter: FloatArray) -> FloatArray:
    """Derivatives of the stored parameters by those of fits: of logarithms and of radians, shape (p,)."""
    own = [np.degrees(1.0) if name in ANGLES else 1.0 for name in names]
    logarithmic = np.array([name.startswith("ln ") for name in names])
    return np.where(logarithmic, np.exp(np.where(logarithmic, parameter, 0.0)), own)


def _named(
    names: Sequence[str], parameter: FloatArray, covariance: FloatArray
) -> tuple[dict[str, float], dict[str, float]]:
    """Values and errors by the names of MulensModel: logarithms taken away, angles in degrees."""
    value, error = {}, {}
    for name, at, sigma in zip(names, parameter.tolist(), standard_errors(covariance), strict=True):
        if name.startswith("ln "):
            value[name[3:]], error[name[3:]] = float(np.exp(at)), float(np.exp(at)) * sigma
        elif name in ANGLES:
            value[name], error[name] = float(np.degrees(at)), float(np.degrees(sigma))
        else:
            value[name], error[name] = at, sigma
    return value, error


def _numbered(one: Mapping[str, float]) -> dict[str, float]:
    """With the names of the first of two sources."""
    return {name + "_1" if name in ("t_0", "u_0") else name: value for name, value in one.items()}
