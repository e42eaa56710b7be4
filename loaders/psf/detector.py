"""The PSF of a whole detector image from windows spread over it.

A window of a crowded field holds stars enough for a PSF of its own; a detector takes as many windows as
its PSF varies over it. Small images are one window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.psf.build import BuildSettings, EmpiricalPsf, build_psf
from loaders.psf.field import StarField
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.profile import light_within
from loaders.psf.scene import Wings
from loaders.psf.wing_fit import BuiltField, fit_wings
from loaders.psf.wings import with_wings

#: Side (pixels) of a window, and distance (pixels) of the centres of windows that the PSF is known at.
WINDOW, SPACING = 640, 1400

#: Pixels around a window within which stars still shed light into it.
MARGIN = 64.0


@dataclass(frozen=True)
class DetectorPsf:
    """The PSF of a detector image, its wings, the stars that measured it, and how well it fits them.

    ``residual`` is the mean over windows of `EmpiricalPsf.residual`, NaN where none has it.
    """

    psf: EffectivePsf
    wings: EffectivePsf
    n_star: int
    reduced_chi2: float
    residual: float

    def with_light(self, light: float) -> DetectorPsf:
        """Scale core and wings together such that a star of unit flux has some light within the wings."""
        factor = light / light_within(with_wings(self.psf, self.wings))
        psf, wings = (replace(one, stamps=one.stamps * factor) for one in (self.psf, self.wings))
        return replace(self, psf=psf, wings=wings)


def build_detector_psf(
    fields: Sequence[StarField],
    start: EffectivePsf,
    wings: EffectivePsf,
    settings: BuildSettings | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> DetectorPsf:
    """Build the PSF of a detector from exposures of one shape.

    Parameters
    ----------
    fields
        Whole images with all their stars.
    start
        PSF to start from, in pixels of the image.
    wings
        A wider PSF at one node: where the wings of the result start from.
    settings
        How the PSF of every window is fitted.
    progress
        Told how many of the steps, a window or the wings, are done.

    Raises
    ------
    ValueError
        If a window has no star fit to measure the PSF.
    """
    ny, nx = fields[0].data.shape
    if max(ny, nx) <= 2 * WINDOW:
        built = build_psf(list(fields), start, Wings(wings), settings)
        return _with_wings_measured(built.psf, [(list(fields), built)])
    y_node, x_node = window_centres(ny), window_centres(nx)
    centres = [(float(x), float(y)) for y in y_node for x in x_node]
    windows = []
    for done, centre in enumerate(centres, 1):
        windows.append(_window(fields, (start, wings), centre, settings))
        progress(done, len(centres) + 1)
    stamps = np.array([built.psf.stamps[0, 0] for _, built in windows])
    stamps = stamps.reshape(y_node.size, x_node.size, *stamps.shape[1:])
    psf = EffectivePsf(stamps, start.oversampling, x_node, y_node)
    measured = _with_wings_measured(psf, windows)
    progress(len(centres) + 1, len(centres) + 1)
    return measured


def _with_wings_measured(
    psf: EffectivePsf, windows: list[tuple[list[StarField], EmpiricalPsf]]
) -> DetectorPsf:
    """Sum up the windows, and measure the wings in all of them: they need all bright stars there are."""
    n_star = np.array([built.n_star for _, built in windows])
    chi2 = np.array([built.chi2 for _, built in windows])
    scaled = [built.wings for _, built in windows if built.wings is not None]
    mean = replace(scaled[0], stamps=np.mean([one.stamps for one in scaled], axis=0))
    parts = [
        BuiltField(field, state, built.psf)
        for fields, built in windows
        for field, state in zip(fields, built.fields, strict=True)
    ]
    mean_chi2 = float((chi2 * n_star).sum() / n_star.sum())
    left = np.array([built.residual for _, built in windows])
    residual = float(np.nanmean(left)) if np.isfinite(left).any() else float("nan")
    return DetectorPsf(psf, fit_wings(parts, mean), int(n_star.sum()), mean_chi2, residual)


def window_centres(size: int) -> FloatArray:
    """Centres of the windows along an axis of some pixels."""
    count = max(1, round((size - WINDOW) / SPACING) + 1)
    return np.linspace(WINDOW / 2, size - WINDOW / 2, count) if count > 1 else np.array([size / 2])


def _window(
    fields: Sequence[StarField],
    known: tuple[EffectivePsf, EffectivePsf],
    centre: tuple[float, float],
    settings: BuildSettings | None,
) -> tuple[list[StarField], EmpiricalPsf]:
    """A window of every field and its PSF, without a gradient of its own."""
    start, wings = known
    one = EffectivePsf(start.at(*centre)[None, None], start.oversampling, *(np.array([c]) for c in centre))
    flat = replace(settings or BuildSettings(), gradient_star=2**31)
    parts = [_cut(field, centre) for field in fields]
    return parts, build_psf(parts, one, Wings(wings), flat)


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
