"""An empirical effective PSF from the stars of crowded fields.

Starting from a PSF that is wrong by some per cent, usually that of the optics, corrections are fitted to the
pixels jointly with the fluxes of all stars, the backgrounds and small shifts of the stars, by iterated
linear least squares (`loaders.psf.solve`). The idea of the effective PSF is that of Anderson & King (2000,
PASP 112, 1360); the joint solution replaces their stacking of residuals star by star.

Two conventions make a PSF and the fluxes and positions measured with it one system:

- Flux: the sum of a stamp is that of the starting PSF, so that fluxes are those at infinity if the starting
  PSF is normalised there and has the right fraction of its flux in the wings.
- Centre: the origin is where the given star positions are, in the mean over the stars that measure the PSF.
  A common error of the positions (a pointing error of the WCS) therefore goes into the PSF and leaves
  fluxes measured at such positions unbiased.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from loaders.psf.correction import CorrectionSpace, correction_space
from loaders.psf.field import BackgroundGrid, BoolArray, IntArray, StarField
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import SplinePsf, Stars
from loaders.psf.scene import Wings, drawing_radii, stars_image, wings_image
from loaders.psf.solve import FieldChange, FieldProblem, JointProblem, information

_CORE = 2
"""Half-width, in pixels, of the square in which the goodness of a star is measured."""

_VISIBLE = 5
"""Half-width of the square of which half must be usable. Saturated stars are welcome: they show the wings."""


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
    gradient_star
        Number of such stars from which on the correction varies linearly over the image.
    position_sigma
        Standard deviation, pixels, of the given positions of these stars; zero takes them as exact.
    model_error
        One iteration each: error of the PSF, relative to the model, that is allowed for in the weights.
    solver_iterations
        Iterations of the linear solver.
    background_spacing
        Distance of the nodes of the background, pixels.
    outlier
        Residual, in standard deviations, at which the weight of a pixel has fallen to a half.
    """

    cutoff: float = 1.4
    amplitude: float = 0.1
    gradient: float = 0.02
    max_star: int = 3000
    min_signal: float = 50.0
    gradient_star: int = 600
    position_sigma: float = 0.01
    model_error: tuple[float, ...] = (0.05, 0.02, 0.005, 0.002)
    solver_iterations: int = 40
    background_spacing: float = 150.0
    outlier: float = 6.0


@dataclass(frozen=True)
class FittedField:
    """What the fit of a PSF found in one field.

    Parameters
    ----------
    x, y, flux
        Shape (n,): positions and fluxes of the stars, in the order in which they were given.
    measured
        Shape (m,): indices of the stars that measured the PSF.
    level
        Shape (k,): levels of the background at its nodes.
    shift
        Shape (2, m): fitted minus given positions along x and y of the measured stars, pixels; zero in the
        mean over all fields.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    measured: IntArray
    level: FloatArray
    shift: FloatArray


@dataclass(frozen=True)
class EmpiricalPsf:
    """An empirical PSF and how good it is.

    Parameters
    ----------
    psf
        The effective PSF, in the pixel coordinates of the fields.
    n_star
        Number of stars, counted once in every field, that measured it.
    chi2
        Mean squared residual of the 5 × 5 central pixels of these stars in units of the variance alone.
    fields
        What was found in each field.
    """

    psf: EffectivePsf
    n_star: int
    chi2: float
    fields: list[FittedField] = field(default_factory=list)


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
        A coarser and wider PSF for the light beyond the half-width; None to do without.
    settings
        Defaults of `BuildSettings` if None.

    Returns
    -------
    EmpiricalPsf
        With one node if ``start`` has one and the stars are few, else with nodes at the corners.

    Raises
    ------
    ValueError
        If there is no field, the fields differ in shape, or no star is fit to measure the PSF.
    """
    settings = settings or BuildSettings()
    shapes = {item.data.shape for item in fields}
    if len(shapes) != 1:
        raise ValueError(f"fields must be at least one and of one shape, got shapes {sorted(shapes)}")
    states = [_begin(item, start, settings) for item in fields]
    n_star = sum(state.measured.size for state in states)
    if n_star == 0:
        raise ValueError(f"no star is unsaturated, inside and above a signal of {settings.min_signal}")
    psf, space = _set_up(start, fields[0].data.shape, n_star, settings)
    white = np.zeros(space.shape)
    for model_error in settings.model_error:
        weighing = _Weighing(model_error, settings.outlier, settings.background_spacing, wings)
        psf, white, states = _improve(fields, states, (psf, space, white), weighing, settings)
    chi2 = [_core_chi2(item, state, psf, weighing) for item, state in zip(fields, states, strict=True)]
    total = sum(state.measured.size for state in states)
    return EmpiricalPsf(_effective(psf), total, float(np.concatenate(chi2).mean()), states)


@dataclass(frozen=True)
class _Weighing:
    """What turns a field and its model into weights."""

    model_error: float
    outlier: float
    background_spacing: float
    wings: Wings | None


def _begin(item: StarField, start: EffectivePsf, settings: BuildSettings) -> FittedField:
    """Choose the stars that measure the PSF and start from what is given."""
    noise = item.noise()
    peak = start.stamps[..., start.size // 2, start.size // 2].mean()
    signal = item.flux * np.sqrt(peak / 2) / np.sqrt(noise**2 + np.maximum(_shot(item), 0) * peak * item.flux)
    good = np.flatnonzero((item.usable_fraction(_VISIBLE) > 0.5) & (signal > settings.min_signal))
    measured = np.sort(good[np.argsort(-item.flux[good])][: settings.max_star])
    level = np.full(BackgroundGrid.over(item.data.shape, settings.background_spacing).size, _floor(item))
    return FittedField(item.x, item.y, item.flux, measured, level, np.zeros((2, measured.size)))


def _shot(item: StarField) -> float:
    """Slope of the variance with the data: the inverse gain."""
    return _variance_line(item)[1]


def _variance_line(item: StarField) -> tuple[float, float]:
    """Variance as a linear function of the data, fitted to the usable pixels in relative terms."""
    variance, data = item.variance[item.usable], item.data[item.usable]
    rows = np.stack([1 / variance, data / variance], axis=1)
    offset, slope = np.linalg.lstsq(rows, np.ones(variance.size), rcond=None)[0]
    return float(offset), float(max(slope, 0.0))


def _floor(item: StarField) -> float:
    """A first level of the background: the tenth percentile of the usable pixels."""
    return float(np.percentile(item.data[item.usable], 10))


def _set_up(
    start: EffectivePsf, shape: tuple[int, ...], n_star: int, settings: BuildSettings
) -> tuple[SplinePsf, CorrectionSpace]:
    """Put the starting PSF on nodes and choose the space of its corrections."""
    linear = n_star >= settings.gradient_star
    single = not linear and start.x_node.size == start.y_node.size == 1
    y_node, x_node = (np.array([(n - 1) / 2] if single else [0.0, n - 1.0]) for n in shape)
    stamps = np.array([[start.at(float(x), float(y)) for x in x_node] for y in y_node])
    psf = EffectivePsf(stamps, start.oversampling, x_node, y_node)
    v, u = (
        axis.ravel()
        for axis in np.meshgrid(*(np.linspace(-1, 1, n.size) for n in (y_node, x_node)), indexing="ij")
    )
    planes = np.stack([np.ones(u.size), u, v] if linear else [np.ones(u.size)])
    amplitude = (settings.amplitude, *(settings.gradient,) * (len(planes) - 1))
    space = correction_space(stamps.mean(axis=(0, 1)), start.oversampling, settings.cutoff, amplitude, planes)
    return SplinePsf.of(psf), space


def _improve(
    fields: list[StarField],
    states: list[FittedField],
    correction: tuple[SplinePsf, CorrectionSpace, FloatArray],
    weighing: _Weighing,
    settings: BuildSettings,
) -> tuple[SplinePsf, FloatArray, list[FittedField]]:
    """One iteration: reject bad stars, solve the joint problem, take the changes over."""
    psf, space, white = correction
    states = [_reject(item, state, psf, weighing) for item, state in zip(fields, states, strict=True)]
    problems = [_problem(item, state, psf, weighing) for item, state in zip(fields, states, strict=True)]
    space = space.conditioned(np.sum([information(psf, problem) for problem in problems], axis=0))
    joint = JointProblem(psf, space, white, problems, settings.position_sigma)
    change, found = joint.solve(settings.solver_iterations)
    step = space.coefficients(change).reshape(psf.coefficients.shape)
    states = [_advance(item, state, new) for item, state, new in zip(fields, states, found, strict=True)]
    return replace(psf, coefficients=psf.coefficients + step), white + change, _centred(fields, states)


def _model(
    item: StarField, state: FittedField, psf: SplinePsf, weighing: _Weighing
) -> tuple[FloatArray, Stars]:
    """Everything the current state says of the pixels, and its stars."""
    noise = item.noise()
    radii = drawing_radii(_effective(psf), state.flux, noise)
    stars = Stars(state.x, state.y, state.flux, radii)
    shape = item.data.shape
    image = stars_image(psf, stars, shape)
    image += BackgroundGrid.over(shape, weighing.background_spacing).image(state.level)
    if weighing.wings is not None:
        image += wings_image(weighing.wings, stars, noise, shape)
    return image, stars


def _weigh(item: StarField, model: FloatArray, weighing: _Weighing) -> tuple[FloatArray, FloatArray]:
    """Residual and one over its standard deviation, both zero where a pixel isn't used."""
    offset, slope = _variance_line(item)
    variance = offset + slope * np.maximum(model, np.percentile(model, 1))
    variance = np.maximum(variance, item.variance[item.usable].min()) + (weighing.model_error * model) ** 2
    residual = np.where(item.usable, item.data - model, 0.0)
    outlying = 1 + residual**2 / variance / weighing.outlier**2
    return residual, np.where(item.usable, 1 / np.sqrt(variance * outlying), 0.0)


def _problem(item: StarField, state: FittedField, psf: SplinePsf, weighing: _Weighing) -> FieldProblem:
    """The part of the joint problem that a field adds."""
    model, stars = _model(item, state, psf, weighing)
    residual, root_weight = _weigh(item, model, weighing)
    background = BackgroundGrid.over(item.data.shape, weighing.background_spacing)
    return FieldProblem(root_weight, residual, stars, state.measured, background, state.shift)


def _core_chi2(item: StarField, state: FittedField, psf: SplinePsf, weighing: _Weighing) -> FloatArray:
    """Mean squared normalised residual in the core of every measured star, without robust weights."""
    model, _ = _model(item, state, psf, weighing)
    plain = replace(weighing, model_error=0.0, outlier=np.inf)
    residual, root_weight = _weigh(item, model, plain)
    j, i, _ = item.core_pixels(_CORE)
    k = state.measured
    pixels, used = ((residual * root_weight) ** 2)[j[k], i[k]], item.usable[j[k], i[k]]
    return np.asarray(pixels.sum(axis=(1, 2)) / np.maximum(used.sum(axis=(1, 2)), 1))


def _reject(item: StarField, state: FittedField, psf: SplinePsf, weighing: _Weighing) -> FittedField:
    """Drop stars whose core fits much worse than that of the others: blends, galaxies, cosmic rays."""
    chi2 = np.log(_core_chi2(item, state, psf, weighing) + 1e-3)
    spread = 1.4826 * np.median(np.abs(chi2 - np.median(chi2))) if chi2.size else 0.0
    keep: BoolArray = chi2 <= np.median(chi2) + 5 * spread + 1e-9 if chi2.size else np.ones(0, dtype=bool)
    return replace(state, measured=state.measured[keep], shift=state.shift[:, keep])


def _advance(item: StarField, state: FittedField, change: FieldChange) -> FittedField:
    """Take over what a solution found in a field."""
    return replace(
        state,
        flux=state.flux + change.flux,
        level=state.level + change.level,
        shift=state.shift + change.shift,
    )


def _centred(fields: list[StarField], states: list[FittedField]) -> list[FittedField]:
    """Take the common shift of all measured stars out of their positions: it belongs to the PSF."""
    weight = np.concatenate([np.abs(state.flux[state.measured]) for state in states])
    shifts = np.concatenate([state.shift for state in states], axis=1)
    mean = (shifts * weight).sum(axis=1) / weight.sum()
    return [
        _moved(item, state, state.shift - mean[:, None]) for item, state in zip(fields, states, strict=True)
    ]


def _moved(item: StarField, state: FittedField, shift: FloatArray) -> FittedField:
    """Positions after a shift: that of each measured star, and their median for all others."""
    common = np.median(shift, axis=1) if shift.size else np.zeros(2)
    x, y = item.x + common[0], item.y + common[1]
    x[state.measured], y[state.measured] = (
        item.x[state.measured] + shift[0],
        item.y[state.measured] + shift[1],
    )
    return replace(state, x=x, y=y, shift=shift)


def _effective(psf: SplinePsf) -> EffectivePsf:
    """The stamps of spline coefficients: their values at the grid points."""
    c = psf.coefficients
    rows = (c[..., :-2, :] + 4 * c[..., 1:-1, :] + c[..., 2:, :]) / 6
    stamps = (rows[..., :-2] + 4 * rows[..., 1:-1] + rows[..., 2:]) / 6
    return EffectivePsf(stamps, psf.oversampling, psf.x_node, psf.y_node)
