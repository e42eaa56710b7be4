"""The PSF of a whole detector image from windows spread over it.

A window of a crowded field holds stars enough for a PSF of its own; a detector takes as many windows as
its PSF varies over it. Small images are one window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.psf.build import BuildSettings, EmpiricalPsf, build_psf
from loaders.psf.field import StarField
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.scene import Wings

#: Side (pixels) of a window, and distance (pixels) of the centres of windows that the PSF is known at.
WINDOW, SPACING = 640, 1400

#: Pixels around a window within which stars still shed light into it.
MARGIN = 64.0


@dataclass(frozen=True)
class DetectorPsf:
    """The PSF of a detector image, its wings, the stars that measured it, and their mean goodness of fit."""

    psf: EffectivePsf
    wings: EffectivePsf
    n_star: int
    reduced_chi2: float


def build_detector_psf(
    fields: Sequence[StarField],
    start: EffectivePsf,
    wings: EffectivePsf,
    settings: BuildSettings | None = None,
) -> DetectorPsf:
    """Build the PSF of a detector from exposures of one shape.

    Parameters
    ----------
    fields
        Whole images with all their stars.
    start
        PSF to start from, in pixels of the image.
    wings
        A wider PSF at one node. The brightness of its light beyond ``start`` is measured, its shape is not.

    Raises
    ------
    ValueError
        If a window has no star fit to measure the PSF.
    """
    ny, nx = fields[0].data.shape
    if max(ny, nx) <= 2 * WINDOW:
        built = build_psf(list(fields), start, Wings(wings), settings)
        return _of_windows(built.psf, [built])
    y_node, x_node = window_centres(ny), window_centres(nx)
    rows = [[_window_psf(fields, (start, wings), (x, y), settings) for x in x_node] for y in y_node]
    stamps = np.array([[built.psf.stamps[0, 0] for built in row] for row in rows])
    psf = EffectivePsf(stamps, start.oversampling, x_node, y_node)
    return _of_windows(psf, [built for row in rows for built in row])


def _of_windows(psf: EffectivePsf, windows: list[EmpiricalPsf]) -> DetectorPsf:
    """Sum up the windows; wings are bright enough to be measured over the whole detector only."""
    n_star = np.array([built.n_star for built in windows])
    chi2 = np.array([built.chi2 for built in windows])
    wings = [built.wings for built in windows if built.wings is not None]
    mean = replace(wings[0], stamps=np.mean([one.stamps for one in wings], axis=0))
    return DetectorPsf(psf, mean, int(n_star.sum()), float((chi2 * n_star).sum() / n_star.sum()))


def window_centres(size: int) -> FloatArray:
    """Centres of the windows along an axis of some pixels."""
    count = max(1, round((size - WINDOW) / SPACING) + 1)
    return np.linspace(WINDOW / 2, size - WINDOW / 2, count) if count > 1 else np.array([size / 2])


def _window_psf(
    fields: Sequence[StarField],
    known: tuple[EffectivePsf, EffectivePsf],
    centre: tuple[float, float],
    settings: BuildSettings | None,
) -> EmpiricalPsf:
    """PSF of one window, without a gradient of its own."""
    start, wings = known
    one = EffectivePsf(start.at(*centre)[None, None], start.oversampling, *(np.array([c]) for c in centre))
    flat = replace(settings or BuildSettings(), gradient_star=2**31)
    return build_psf([_cut(field, centre) for field in fields], one, Wings(wings), flat)


def _cut(field: StarField, centre: tuple[float, float]) -> StarField:
    """Window of a field around a centre (x, y), with the stars that shine into it."""
    ny, nx = field.data.shape
    x0, y0 = (
        int(np.clip(c - WINDOW / 2, 0, max(n - WINDOW, 0))) for c, n in zip(centre, (nx, ny), strict=True)
    )
    part = slice(y0, y0 + WINDOW), slice(x0, x0 + WINDOW)
    x, y = field.x - x0, field.y - y0
    near = (x > -MARGIN) & (x < WINDOW + MARGIN) & (y > -MARGIN) & (y < WINDOW + MARGIN)
    return StarField(
        field.data[part], field.variance[part], field.usable[part], x[near], y[near], field.flux[near]
    )
