"""Redshift and class of spectra: every class at every redshift, the best refined and weighed by evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from loaders.redshift.candidates import Candidates, Pixels, scan_candidates
from loaders.redshift.measure import measured_lines
from loaders.redshift.minima import log_evidence, mass_about, quantiles
from loaders.redshift.refine import ClassFit, refined
from loaders.redshift.scan import N_BASIS, Data, chi_square
from loaders.redshift.solution import Fit, Solution
from loaders.redshift.spectrum import Prepared, Spectrum, prepare
from loaders.redshift.templates import template_sets
from loaders.redshift.warning_bits import WarningBit

FloatArray = npt.NDArray[np.float64]

AT_ONCE = 64
"""Spectra with the same pixels that are fitted together."""

_TOLERANCE = 0.003
"""Redshifts are right to this, times 1 + z."""

_AMBIGUOUS = 9.0
_POOR = 3.0
_UNCERTAIN = 0.9


def fit_spectra(spectra: Sequence[Spectrum]) -> list[Fit]:
    """Fit spectra, those with the same pixels together; nothing that they hold makes it fail.

    Returns
    -------
    list of Fit
        In their order.
    """
    prepared = [prepare(spectrum) for spectrum in spectra]
    out = [Fit(one.warning, one.n_pixel) for one in prepared]
    for pixels, members in _alike(prepared):
        if pixels.high[-1] < 912.0 or pixels.low[0] > 2.6e5:
            for k in members:
                out[k] = replace(out[k], warning=out[k].warning | WarningBit.NO_OVERLAP)
            continue
        for k, fit in zip(members, _fit_alike(pixels, [prepared[k] for k in members]), strict=True):
            out[k] = fit
    return out


def _alike(prepared: Sequence[Prepared]) -> Iterator[tuple[Pixels, list[int]]]:
    """Spectra that have the same pixels, some at a time."""
    groups: dict[bytes, tuple[Pixels, list[int]]] = {}
    for k, one in enumerate(prepared):
        if one.pixels is not None:
            groups.setdefault(one.pixels.key, (one.pixels, []))[1].append(k)
    for pixels, members in groups.values():
        for first in range(0, len(members), AT_ONCE):
            yield pixels, members[first : first + AT_ONCE]


class _Held:
    """Pixels that are compared by what they are."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels, self.key = pixels, pixels.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and self.key == other.key


@lru_cache(maxsize=2)
def _scans(held: _Held) -> tuple[Candidates, ...]:
    """Candidates of all classes, kept for the next spectra with the same pixels."""
    return tuple(scan_candidates(templates, held.pixels) for templates in template_sets())


def _fit_alike(pixels: Pixels, prepared: Sequence[Prepared]) -> list[Fit]:
    """Fit spectra with the same pixels."""
    data = Data(np.array([p.flux for p in prepared]), np.array([p.weight for p in prepared]))
    scans = _scans(_Held(pixels))
    curves = [chi_square(data, scan)[0] for scan in scans]
    fits = []
    for k, one in enumerate(prepared):
        alone = Data(data.flux[k : k + 1], data.weight[k : k + 1])
        each = [
            refined(templates, pixels, alone, scan, curve[k])
            for templates, scan, curve in zip(template_sets(), scans, curves, strict=True)
        ]
        fits.append(_decide(pixels, one, each))
    return fits


def _decide(pixels: Pixels, prepared: Prepared, fits: list[ClassFit]) -> Fit:
    """Weigh the classes, and describe the best."""
    used = int(np.count_nonzero(prepared.weight))
    best = min(fits, key=lambda fit: fit.minima[0].chi2)
    freedom = max(used - best.n_amplitude - N_BASIS, 1)
    scale = max(1.0, best.minima[0].chi2 / freedom)
    evidence = np.array([_ln_evidence(fit, scale) for fit in fits])
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    solutions = sorted(
        (one for fit, part in zip(fits, share, strict=True) for one in _solutions(fit, float(part), scale)),
        key=lambda one: -one.probability,
    )
    chosen = fits[int(np.argmax(share))]
    first = next(one for one in solutions if one.class_name == chosen.templates.name)
    ordered = (first, *(one for one in solutions if one is not first))
    quantile = quantiles(chosen.z, chosen.chi2, chosen.minima, scale)
    certain = mass_about(quantile, first.z, _TOLERANCE * (1 + first.z)) * float(share.max())
    others = [m.chi2 for m in chosen.minima[1:]]
    gap = (min(others) - first.chi2) / scale if others else np.nan
    fit = Fit(
        prepared.warning, prepared.n_pixel, ordered, certain, scale, gap, quantile,
        measured_lines(pixels, prepared, first, scale),
    )  # fmt: skip
    return replace(fit, warning=prepared.warning | _about(fit, chosen, float(share.max())))


def _ln_evidence(fit: ClassFit, scale: float) -> float:
    """Logarithm of the evidence of a class: each amplitude costs 1, as by Akaike."""
    likelihood = log_evidence(fit.z, fit.chi2, fit.minima, scale)
    occam = float(fit.n_amplitude - N_BASIS)
    return float(likelihood - occam)


def _solutions(fit: ClassFit, share: float, scale: float) -> list[Solution]:
    """Minima of a class with their shares of its evidence."""
    chi2 = np.array([m.chi2 for m in fit.minima])
    width = np.array([m.z_err / (1 + m.z) for m in fit.minima])
    weight = width * np.exp(-0.5 * (chi2 - chi2.min()) / scale)
    weight *= share / weight.sum()
    return [
        Solution(
            fit.templates.name, one.subclass, one.minimum.z, one.minimum.z_err * np.sqrt(scale),
            one.minimum.chi2, float(part), one.broadening, one.amplitude,
        )
        for one, part in zip(fit.found, weight, strict=True)
    ]  # fmt: skip


def _about(fit: Fit, chosen: ClassFit, share: float) -> WarningBit:
    """Bits of what is to be known of a solution."""
    said = WarningBit(0)
    if fit.delta_chi2 < _AMBIGUOUS:
        said |= WarningBit.AMBIGUOUS
    step = float(chosen.z[1] - chosen.z[0])
    at_edge = fit.solutions[0].z > chosen.z[-1] - 2 * step or fit.solutions[0].z < chosen.z[0] - step
    if chosen.templates.name != "STAR" and at_edge:
        said |= WarningBit.GRID_EDGE
    if fit.chi2_scale > _POOR:
        said |= WarningBit.POOR_FIT
    if share < _UNCERTAIN:
        said |= WarningBit.CLASS_UNCERTAIN
    return said
