"""An empirical effective PSF from the stars of crowded fields.

Starting from a PSF that is wrong by some per cent, usually that of the optics, corrections are fitted to the
pixels jointly with the fluxes of all stars, the backgrounds and small shifts of the stars, by iterated
linear least squares (`loaders.psf.solve`). The idea of the effective PSF is that of Anderson & King (2000,
PASP 112, 1360); the joint solution replaces their stacking of residuals star by star.

Two conventions make a PSF and the fluxes and positions measured with it one system:

- Flux: fluxes are those at infinity. The shape of the wings beyond the stamp is given, their brightness is
  fitted, and stamp and wings together are normalised to one; without wings, the sum of the starting stamp
  is kept.
- Centre: the origin is where the given star positions are, in the mean over the stars that measure the PSF.
  A common error of the positions (a pointing error of the WCS) therefore goes into the PSF and leaves
  fluxes measured at such positions unbiased.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from loaders.psf.correction import CorrectionSpace, correction_space
from loaders.psf.field import StarField
from loaders.psf.fitted_field import (
    FieldModel,
    FittedField,
    Weighing,
    advance,
    begin,
    centred,
    core_chi2,
    core_residual,
    model,
    problem,
    reject,
)
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import SplinePsf, effective
from loaders.psf.scene import Wings, enclosed
from loaders.psf.solve import JointProblem, information
from loaders.rejection import Rejected

_WING_FACTORS = (0.5, 2.0)
"""Brightness of the wings relative to those given that is believed; an empty field says nothing of it."""


@dataclass(frozen=True)
class BuildSettings:
    """How an empirical PSF is fitted.

    Parameters
    ----------
    cutoff
        Highest frequency that the telescope passes, cycles per pixel: diameter over the shortest wavelength;
        see `loaders.psf.optics.cutoff_frequency`.
    amplitude, gradient
        Standard deviation of the correction, and of its change from the centre to the edge of the image,
        relative to the PSF nearby.
    max_star, min_signal
        The PSF is measured on so many of the brightest stars whose signal-to-noise ratio is above.
    gradient_star, gradient_size
        Number of such stars, and longer side of the image in pixels, from which on the correction varies
        linearly over the image: over less the PSF hardly changes.
    position_sigma
        Standard deviation, pixels, of the given positions of these stars; zero takes them as exact.
    model_error
        One iteration each: error of the PSF, relative to the model, that is allowed for in the weights.
    solver_iterations
        Iterations of the linear solver in each of these; the last ones decide how far the PSF gets.
    background_spacing
        Distance of the nodes of the background, pixels.
    outlier
        Residual, in standard deviations, at which the weight of a pixel has fallen to a half.
    flux_scale
        ``infinity``: as the module says. ``given``: the PSF is scaled such that the fluxes of the stars that
        measure it agree in the median with those given, for continuity with a calibrated catalog.
    """

    cutoff: float = 1.4
    amplitude: float = 0.3
    gradient: float = 0.03
    max_star: int = 5000
    min_signal: float = 20.0
    gradient_star: int = 600
    gradient_size: int = 500
    position_sigma: float = 0.01
    model_error: tuple[float, ...] = (0.05, 0.02, 0.005, 0.002)
    solver_iterations: tuple[int, ...] = (15, 15, 60, 90)
    background_spacing: float = 150.0
    outlier: float = 6.0
    flux_scale: Literal["infinity", "given"] = "infinity"


@dataclass(frozen=True)
class EmpiricalPsf:
    """An empirical PSF and how good it is.

    Parameters
    ----------
    psf
        The effective PSF, in the pixel coordinates of the fields.
    wings
        The wings that go with it, on its flux scale; None if none were given.
    n_star
        Number of stars, counted once in every field, that measured it.
    chi2
        Mean squared residual of the 5 × 5 central pixels of these stars in units of the variance alone.
    residual
        What is left of the brightest of them, as a fraction of their light (`core_residual`), in the median;
        NaN if they are fewer than ten.
    fields
        What was found in each field.
    """

    psf: EffectivePsf
    wings: EffectivePsf | None
    n_star: int
    chi2: float
    residual: float
    fields: list[FittedField]


def build_psf(
    fields: list[StarField],
    start: EffectivePsf,
    wings: Wings | None = None,
    settings: BuildSettings | None = None,
) -> EmpiricalPsf:
    """Fit the effective PSF of one detector, filter and epoch to the stars of one or several exposures.

    Parameters
    ----------
    fields
        Exposures, or the same window of several exposures, in one frame of detector pixels.
    start
        The starting PSF; its half-width and oversampling are those of the result. It may be wrong by some
        per cent in shape and by a tenth of a pixel in position.
    wings
        A coarser and wider PSF for the light beyond the half-width, of which a multiple is fitted; None to
        do without.
    settings
        Defaults of `BuildSettings` if None.

    Returns
    -------
    EmpiricalPsf
        With one node at the centre if the stars are few, else with nodes at the corners of the image.

    Raises
    ------
    ValueError
        If there is no field, or the fields differ in shape.
    Rejected
        If no star is fit to measure the PSF.
    """
    settings = settings or BuildSettings()
    shapes = {item.data.shape for item in fields}
    if len(shapes) != 1:
        raise ValueError(f"fields must be at least one and of one shape, got shapes {sorted(shapes)}")
    states = [begin(item, start, settings.min_signal, settings.max_star) for item in fields]
    n_star = sum(state.measured.size for state in states)
    if n_star == 0:
        raise _no_star(f"no star is visible and above a signal-to-noise ratio of {settings.min_signal}")
    psf, space = _set_up(start, fields[0].data.shape, n_star, settings)
    fit = _Fit(fields, states, psf, space, np.zeros(space.shape), wings, settings)
    for model_error, iterations in zip(settings.model_error, settings.solver_iterations, strict=True):
        fit = fit.improved(Weighing(model_error, settings.outlier), iterations)
    return fit.result()


def _set_up(
    start: EffectivePsf, shape: tuple[int, ...], n_star: int, settings: BuildSettings
) -> tuple[SplinePsf, CorrectionSpace]:
    """Put the starting PSF on nodes and choose the space of its corrections."""
    linear = n_star >= settings.gradient_star and max(shape) >= settings.gradient_size
    y_node, x_node = (np.array([0.0, n - 1.0] if linear else [(n - 1) / 2]) for n in shape)
    stamps = np.array([[start.at(float(x), float(y)) for x in x_node] for y in y_node])
    psf = EffectivePsf(stamps, start.oversampling, x_node, y_node)
    sides = [np.linspace(-1, 1, node.size) if node.size > 1 else np.zeros(1) for node in (y_node, x_node)]
    v, u = (axis.ravel() for axis in np.meshgrid(*sides, indexing="ij"))
    planes = np.stack([np.ones(u.size), u, v] if linear else [np.ones(u.size)])
    amplitude = (settings.amplitude, *(settings.gradient,) * (len(planes) - 1))
    space = correction_space(stamps.mean(axis=(0, 1)), start.oversampling, settings.cutoff, amplitude, planes)
    return SplinePsf.of(psf), space


@dataclass(frozen=True)
class _Fit:
    """The fit between two iterations; ``white`` is the correction made so far in white unknowns."""

    fields: list[StarField]
    states: list[FittedField]
    psf: SplinePsf
    space: CorrectionSpace
    white: FloatArray
    wings: Wings | None
    settings: BuildSettings

    def improved(self, weighing: Weighing, iterations: int) -> _Fit:
        """Reject bad stars, solve the joint problem, take the changes over."""
        drawn, states = self._models()
        triples = list(zip(self.fields, states, drawn, strict=True))
        states = [reject(item, state, view.image, weighing) for item, state, view in triples]
        if sum(state.measured.size for state in states) == 0:
            raise _no_star("every star that could measure the PSF was rejected")
        problems = [
            problem(item, state, view, weighing)
            for item, state, view in zip(self.fields, states, drawn, strict=True)
        ]
        space = self.space.conditioned(np.sum([information(self.psf, part) for part in problems], axis=0))
        joint = JointProblem(self.psf, space, self.white, problems, self.settings.position_sigma)
        white, changes = joint.solve(iterations)
        step = space.coefficients(white).reshape(self.psf.coefficients.shape)
        states = [advance(state, change) for state, change in zip(states, changes, strict=True)]
        psf = replace(self.psf, coefficients=self.psf.coefficients + step)
        return replace(self, states=centred(self.fields, states), psf=psf, white=self.white + white)

    def result(self) -> EmpiricalPsf:
        """Goodness, and everything on the scale of fluxes at infinity."""
        drawn, _ = self._models()
        plain = Weighing(0.0, np.inf)
        chi2 = np.concatenate(
            [
                core_chi2(item, state, view.image, plain)
                for item, state, view in zip(self.fields, self.states, drawn, strict=True)
            ]
        )
        left = np.concatenate(
            [
                core_residual(item, state, view)
                for item, state, view in zip(self.fields, self.states, drawn, strict=True)
            ]
        )
        residual = float(np.median(left)) if left.size else float("nan")
        psf, wings, scale = self._normalised()
        if self.settings.flux_scale == "given":
            extra = self._ratio() / scale
            psf, scale = replace(psf, stamps=psf.stamps / extra), scale * extra
            wings = None if wings is None else replace(wings, stamps=wings.stamps / extra)
        states = [replace(state, flux=state.flux * scale) for state in self.states]
        return EmpiricalPsf(psf, wings, chi2.size, float(chi2.mean()), residual, states)

    def _models(self) -> tuple[list[FieldModel], list[FittedField]]:
        """Draw every field."""
        spacing = self.settings.background_spacing
        pairs = [
            model(item, state, self.psf, self.wings, spacing)
            for item, state in zip(self.fields, self.states, strict=True)
        ]
        return [view for view, _ in pairs], [state for _, state in pairs]

    def _ratio(self) -> float:
        """Median of given over fitted flux of the measured stars: what their fitted fluxes lack."""
        pairs = [
            (item.flux[state.measured], state.flux[state.measured])
            for item, state in zip(self.fields, self.states, strict=True)
        ]
        return float(np.median(np.concatenate([given / fitted for given, fitted in pairs])))

    def _normalised(self) -> tuple[EffectivePsf, EffectivePsf | None, float]:
        """Stamps and wings such that their sum is one, and what it was before."""
        psf = effective(self.psf)
        if self.wings is None:
            return psf, None, 1.0
        wide = self.wings.psf
        factor = float(np.clip(np.mean([state.level[-1] for state in self.states]), *_WING_FACTORS))
        inside = float(psf.stamps.sum(axis=(-1, -2)).mean()) / psf.oversampling**2
        total = inside + factor * (1 - enclosed(wide, psf.half_width))
        stamps = psf.stamps / total
        return replace(psf, stamps=stamps), replace(wide, stamps=wide.stamps * factor / total), total


def _no_star(what: str) -> Rejected:
    remedy = "The PSF of another day, or that of the optics, serves; look at the exposures and the catalog"
    return Rejected("the exposures of the PSF", what, remedy, "no_star")
