"""Minima of one spectrum in one class, found on the grid and then between its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from loaders.redshift.candidates import Candidates, Pixels, candidates_at
from loaders.redshift.minima import Minimum, lowest, parabola
from loaders.redshift.prior import penalty
from loaders.redshift.scan import Data, chi_square
from loaders.redshift.templates import TemplateSet

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BROADENINGS = (1.0, 1.6, 2.5, 4.0)
"""Widths of sources relative to the line-spread function that are tried."""

_N_MINIMA = {"GALAXY": 6, "QSO": 2, "STAR": 1}
_OFFSETS = np.linspace(-1, 1, 5)
_WORTH = 6.0


class Found(NamedTuple):
    """A minimum: amplitudes there, the template that gives the most light, and the width of lines."""

    minimum: Minimum
    amplitude: FloatArray
    subclass: str
    broadening: float


@dataclass(frozen=True)
class ClassFit:
    """Minima of a class, the best first, and the scan that they are of (shape (m,), ascending)."""

    templates: TemplateSet
    found: list[Found]
    z: FloatArray
    chi2: FloatArray

    @property
    def minima(self) -> list[Minimum]:
        """Redshifts of them."""
        return [one.minimum for one in self.found]

    @property
    def n_amplitude(self) -> int:
        """Templates and lines that the best model uses."""
        return int(np.count_nonzero(self.found[0].amplitude))


def refined(
    templates: TemplateSet, pixels: Pixels, data: Data, scan: Candidates, chi2: FloatArray
) -> ClassFit:
    """Refine the lowest minima of a scan of one spectrum; ``chi2`` has the shape (m,) of the scan."""
    if scan.subclass[0] >= 0:
        best = scan.subclass[np.argmin(chi2)]
        mine = scan.subclass == best
        scan_z, scan_chi2, kind = scan.z[mine], chi2[mine], int(best)
    else:
        scan_z, scan_chi2, kind = scan.z, chi2, -1
    scan_chi2 = scan_chi2 + penalty(templates.name, scan_z)
    places = lowest(scan_z, scan_chi2, _N_MINIMA[templates.name])
    step = np.diff(np.log1p(scan_z)).mean()
    fine = np.expm1(np.log1p(scan_z[places])[:, np.newaxis] + step * _OFFSETS)
    factors = _broadenings(templates, pixels, data, scan_z[places], kind)
    found = []
    for factor in np.unique(factors):
        mine = fine[factors == factor]
        fine_chi2, amplitude = _at(templates, pixels.broadened(factor), data, mine.ravel(), kind)
        curves = fine_chi2.reshape(mine.shape)
        nearest = np.argmin(curves, axis=1) + np.arange(len(mine)) * _OFFSETS.size
        for z, curve, one in zip(mine, curves, amplitude[nearest], strict=True):
            found.append(Found(parabola(z, curve), one, _subclass(templates, kind, one), float(factor)))
    found.sort(key=lambda one: one.minimum.chi2)
    return ClassFit(templates, found, scan_z, scan_chi2)


def _broadenings(templates: TemplateSet, pixels: Pixels, data: Data, z: FloatArray, kind: int) -> FloatArray:
    """Width at which lines fit best at each redshift; that of a point unless another is clearly better."""
    if len(templates.groups) < 2:
        return np.ones(z.size)
    curves = np.array([_at(templates, pixels.broadened(one), data, z, kind)[0] for one in BROADENINGS])
    best = np.argmin(curves, axis=0)
    gain = curves[0] - curves[best, np.arange(z.size)]
    return np.where(gain > _WORTH, np.array(BROADENINGS)[best], BROADENINGS[0])


def _at(
    templates: TemplateSet, pixels: Pixels, data: Data, z: FloatArray, kind: int
) -> tuple[FloatArray, FloatArray]:
    """Chi-square (shape (m,)) and amplitudes (m, k + q + g) of one spectrum at some redshifts."""
    candidates = candidates_at(templates, pixels, z, np.full(z.size, kind, np.int64))
    chi2, amplitude = chi_square(data, candidates)
    return chi2[0] + penalty(templates.name, z), amplitude[0]


def _subclass(templates: TemplateSet, kind: int, amplitude: FloatArray) -> str:
    """Name of the template that gives the most light."""
    if kind >= 0:
        return templates.subclasses[kind]
    return templates.subclasses[int(np.argmax(amplitude[: len(templates.subclasses)]))]
