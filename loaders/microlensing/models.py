"""The models of an event, in one form for all kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loaders.event_models.condense import condense
from loaders.event_models.curve import Band, FloatArray
from loaders.event_models.lens_fit import Points, solve_fluxes
from loaders.event_models.parallax_fit import ParallaxFit, fit_parallax
from loaders.event_models.point_lens import PointLensFit, magnification
from loaders.lens.parallax import offsets, shifts
from loaders.microlensing.judge import Verdict

#: Einstein time (days) from which the motion of the telescope is looked for.
LEAST_T_E = 5.0

_UNITS = {"t_0": "d", "t_E": "d"}


@dataclass(frozen=True)
class FittedModel:
    """A model of an event.

    Parameters
    ----------
    name
        Kind, such as ``1L1S_parallax``.
    has_parallax
        Whether the motion of the telescope counts.
    value, error
        Parameters by the names of MulensModel, and their standard errors, NaN where not determined.
    elements
        Optical elements.
    flux
        Shape (n_element, 2): source and blend, nJy.
    error_scale
        Shape (n_element,): by what errors were multiplied.
    chi2, n_point
        Of all points, with these errors.
    t_0_par
        Reference time of parallax, BJD (TDB); None without.
    converged
        Whether the fit came to an end.
    """

    name: str
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

    @property
    def n_parameter(self) -> int:
        """Parameters, fluxes included."""
        return len(self.value) + int(self.flux.size)

    @property
    def bic(self) -> float:
        """Bayesian information criterion (Schwarz 1978, Ann. Stat. 6, 461)."""
        return float(self.chi2 + self.n_parameter * np.log(self.n_point))

    def columns(self) -> dict[str, Any]:
        """Columns of ``roman.event_model``."""
        return {
            "name": self.name,
            "n_lens": 1,
            "n_source": 1,
            "has_finite_source": False,
            "has_parallax": self.has_parallax,
            "chi2": self.chi2,
            "n_point": self.n_point,
            "n_parameter": self.n_parameter,
            "bic": self.bic,
            "t_0_par": self.t_0_par,
            "is_converged": self.converged,
            "software": "roman-db",
        }

    def parameter_rows(self) -> list[dict[str, Any]]:
        """Columns of ``roman.event_model_parameter``, one a parameter."""
        return [
            {
                "name": name,
                "value": value,
                "err": self.error[name] if np.isfinite(self.error[name]) else None,
                "unit": _UNITS.get(name),
            }
            for name, value in self.value.items()
        ]

    def flux_rows(self) -> list[dict[str, Any]]:
        """Columns of ``roman.event_model_flux``: source 1, and the blend as source 0."""
        return [
            {
                "optical_element": element,
                "source_number": number,
                "flux": float(flux[1 - number]),
                "error_scale": float(scale),
            }
            for element, flux, scale in zip(self.elements, self.flux, self.error_scale, strict=True)
            for number in (1, 0)
        ]


def models_of(verdict: Verdict, ra: float, dec: float) -> list[FittedModel]:
    """Fit the models of an event.

    Parameters
    ----------
    verdict
        The verdict on it.
    ra, dec
        Degrees ICRS.

    Returns
    -------
    list of FittedModel
        The single lens without and, where it lasts long enough, with parallax.
    """
    bands, fit, scale = verdict.bands, verdict.fit, verdict.error_scale
    models = [_plain(bands, fit, scale)]
    if fit.t_E >= LEAST_T_E:
        few = condense(bands, fit.t_0, max(fit.u_0, 0.05) * fit.t_E, fit.t_E)
        models.append(_with_parallax(bands, fit_parallax(few, ra, dec, fit), (ra, dec), scale))
    return models


def _plain(bands: Sequence[Band], fit: PointLensFit, scale: FloatArray) -> FittedModel:
    value = {"t_0": fit.t_0, "u_0": fit.u_0, "t_E": fit.t_E}
    error = dict(zip(value, _errors(fit.covariance), strict=True))
    flux = np.column_stack([fit.source_flux, fit.blend_flux])
    return FittedModel(
        *("1L1S", False, value, error, [band.name for band in bands], flux, scale),
        *(fit.chi2, fit.n_point, None, fit.converged),
    )


def _with_parallax(
    bands: Sequence[Band], found: ParallaxFit, place: tuple[float, float], scale: FloatArray
) -> FittedModel:
    """The fit of the condensed light curves, held against all points."""
    t_0, u_0, ln_t_e, north, east = found.fit.parameter.tolist()
    value = {"t_0": t_0, "u_0": u_0, "t_E": float(np.exp(ln_t_e)), "pi_E_N": north, "pi_E_E": east}
    error = dict(zip(value, _errors(found.fit.covariance), strict=True))
    error["t_E"] *= value["t_E"]
    points = Points.of(bands)
    tau, beta = shifts(offsets(points.time, *place, found.t_0_par), north, east)
    u = np.hypot((points.time - t_0) / value["t_E"] + tau, u_0 + beta)
    flux, residual = solve_fluxes(points, magnification(np.maximum(u, 1e-6))[None])
    return FittedModel(
        *("1L1S_parallax", True, value, error, points.names, flux, scale),
        *(float(residual @ residual), points.time.size, found.t_0_par, found.fit.converged),
    )


def _errors(covariance: FloatArray) -> list[float]:
    """Standard errors; NaN where the parameters are not determined."""
    variance = np.diag(covariance)
    return [float(error) for error in np.sqrt(np.where(variance > 0, variance, np.nan))]
