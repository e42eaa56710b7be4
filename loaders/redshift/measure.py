"""Lines of a spectrum whose redshift is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loaders.redshift.candidates import Pixels, continua, lines_of
from loaders.redshift.line_kernels import PixelGrid, line_profiles
from loaders.redshift.lines import BLENDS, WAVELENGTH, Line
from loaders.redshift.scan import N_BASIS, basis_of
from loaders.redshift.solution import MeasuredLine, Solution
from loaders.redshift.spectrum import Prepared
from loaders.redshift.templates import template_sets

FloatArray = npt.NDArray[np.float64]

_DISPERSION = {"GALAXY": 100.0, "QSO": 2500.0}
"""km/s."""

_LIMIT_SIGMA = 3.0
_RESOLVED = 1.5
"""Dispersions of a line that another must be away to be measured apart."""

_RIDGE = 1e-10


def measured_lines(
    pixels: Pixels, prepared: Prepared, solution: Solution, chi2_scale: float
) -> tuple[MeasuredLine, ...]:
    """Fluxes of all lines within a spectrum, fitted together beside the continuum of the solution.

    Amplitudes may be negative here, so that a sum over many spectra has no bias; of a doublet the flux is
    that of the stronger line. Errors are those of the joint fit, times the root of ``chi2_scale``.

    Returns
    -------
    tuple of MeasuredLine
        Ascending wavelengths; nothing for stars.
    """
    if solution.class_name not in _DISPERSION:
        return ()
    seen = pixels.broadened(solution.broadening)
    middle = pixels.middle
    scale = 1 + solution.z
    grid = seen.with_dispersion(_DISPERSION[solution.class_name])
    inside = [one for one in _resolved(grid, scale) if middle[2] < one[0].wavelength * scale < middle[-3]]
    continuum = _continuum(seen, solution)
    if not inside:
        return ()
    profile = line_profiles(grid, scale, lines_of(inside), len(inside))
    model = np.concatenate([profile, continuum[np.newaxis], basis_of(middle.size)[1:]])
    value, error = _least_squares(model, prepared)
    level = np.interp([one[0].wavelength * scale for one in inside], middle, continuum)
    lines = [
        _line(one[0], value[k], error[k] * np.sqrt(chi2_scale), float(level[k]), prepared.scale, solution.z)
        for k, one in enumerate(inside)
        if error[k] < np.inf
    ]
    return tuple(sorted(lines, key=lambda line: line.wavelength))


def _resolved(grid: PixelGrid, scale: float) -> list[tuple[Line, ...]]:
    """What can be measured apart: where [N II] is within Hα, the two are one line."""
    alpha, nitrogen = (WAVELENGTH[name] for name in ("Halpha", "[NII]6585"))
    near = min(int(np.searchsorted(grid.high, alpha * scale)), grid.high.size - 1)
    if np.log(nitrogen / alpha) > _RESOLVED * grid.sigma_ln[near]:
        return list(BLENDS)
    both = (Line("Halpha+[NII]", alpha),)
    return [both if one[0].name == "Halpha" else one for one in BLENDS if one[0].name != "[NII]6585"]


def _continuum(pixels: Pixels, solution: Solution) -> FloatArray:
    """Continuum of a solution on the pixels, polynomials included."""
    templates = next(one for one in template_sets() if one.name == solution.class_name)
    found = continua(templates, pixels, np.array([solution.z]), np.full(1, -1, np.int64))[0]
    k = len(found)
    basis = basis_of(pixels.low.size)
    share = solution.amplitude[:k].copy()
    if "lines" in templates.subclasses:
        share[templates.subclasses.index("lines")] = 0.0
    return np.asarray(share @ found + solution.amplitude[k : k + N_BASIS] @ basis)


def _least_squares(model: FloatArray, prepared: Prepared) -> tuple[FloatArray, FloatArray]:
    """Amplitudes and their errors; the error of what no pixel tells is infinite. Shapes (r,)."""
    normal = (model * prepared.weight) @ model.T
    told = np.diag(normal) > 0
    size = np.sqrt(np.where(told, np.diag(normal), 1.0))
    unit = normal / np.outer(size, size) + np.diag(np.where(told, _RIDGE, 1.0))
    covariance = np.linalg.inv(unit)
    right = model @ (prepared.weight * prepared.flux) / size
    value = covariance @ right / size
    error = np.where(told, np.sqrt(np.maximum(np.diag(covariance), 0)) / size, np.inf)
    return np.asarray(value), np.asarray(error)


def _line(line: Line, value: float, error: float, level: float, scale: float, z: float) -> MeasuredLine:
    """A line in the units of the file."""
    has_continuum = level > 0
    width = value / level / (1 + z) if has_continuum else np.nan
    width_err = error / level / (1 + z) if has_continuum else np.nan
    limit = _LIMIT_SIGMA * error * scale if value < _LIMIT_SIGMA * error else np.nan
    return MeasuredLine(line.name, line.wavelength, value * scale, error * scale, width, width_err, limit)
