"""Minima of one spectrum in one class, found on the grid and then between its steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.redshift.candidates import Candidates, Pixels, candidates_at
from loaders.redshift.minima import Minimum, lowest, parabola
from loaders.redshift.scan import Data, chi_square
from loaders.redshift.templates import TemplateSet

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BROADENINGS = (1.0, 1.6, 2.5, 4.0)
"""Widths of sources relative to the line-spread function that are tried."""

_N_MINIMA = {"GALAXY": 4, "QSO": 2, "STAR": 1}
_OFFSETS = np.linspace(-1.2, 1.2, 7)
_WORTH = 6.0


@dataclass(frozen=True)
class ClassFit:
    """Minima of a class, the best first, and the scan that they are of (shape (m,), ascending)."""

    templates: TemplateSet
    minima: list[Minimum]
    amplitude: FloatArray
    subclass: list[str]
    broadening: float
    z: FloatArray
    chi2: FloatArray

    @property
    def n_amplitude(self) -> int:
        """Templates and lines that the best model uses."""
        return int(np.count_nonzero(self.amplitude[0]))


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
    places = lowest(scan_z, scan_chi2, _N_MINIMA[templates.name])
    factor = _broadening(templates, pixels, data, scan_z[places[:2]], kind) if templates.groups else 1.0
    step = np.diff(np.log1p(scan_z)).mean()
    fine = np.expm1(np.log1p(scan_z[places])[:, np.newaxis] + step * _OFFSETS)
    fine_chi2, amplitude = _at(templates, pixels.broadened(factor), data, fine.ravel(), kind)
    curves = fine_chi2.reshape(fine.shape)
    minima = [parabola(z, curve) for z, curve in zip(fine, curves, strict=True)]
    nearest = np.argmin(curves, axis=1) + np.arange(len(minima)) * _OFFSETS.size
    order = np.argsort([m.chi2 for m in minima], kind="stable")
    found = amplitude[nearest[order]]
    return ClassFit(
        templates, [minima[k] for k in order], found,
        [_subclass(templates, kind, one) for one in found], factor, scan_z, scan_chi2,
    )  # fmt: skip


def _broadening(templates: TemplateSet, pixels: Pixels, data: Data, z: FloatArray, kind: int) -> float:
    """Width at which lines fit best; that of a point unless another is clearly better."""
    if len(templates.groups) < 2:
        return 1.0
    best = [_at(templates, pixels.broadened(factor), data, z, kind)[0].min() for factor in BROADENINGS]
    k = int(np.argmin(best))
    return BROADENINGS[k] if best[0] - best[k] > _WORTH else BROADENINGS[0]


def _at(
    templates: TemplateSet, pixels: Pixels, data: Data, z: FloatArray, kind: int
) -> tuple[FloatArray, FloatArray]:
    """Chi-square (shape (m,)) and amplitudes (m, k + q + g) of one spectrum at some redshifts."""
    candidates = candidates_at(templates, pixels, z, np.full(z.size, kind, np.int64))
    chi2, amplitude = chi_square(data, candidates)
    return chi2[0], amplitude[0]


def _subclass(templates: TemplateSet, kind: int, amplitude: FloatArray) -> str:
    """Name of the template that gives the most light."""
    if kind >= 0:
        return templates.subclasses[kind]
    return templates.subclasses[int(np.argmax(amplitude[: len(templates.subclasses)]))]
