"""An event as fits of models see it: its light curves, where it is, and the views that they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from loaders.event_models.condense import condense_about, condense_bent
from loaders.event_models.kinds import Kind, View, curves_of, displacement_of
from loaders.event_models.lens_fit import Points, solve_fluxes
from loaders.event_models.structure import Window, windows
from loaders.stored_curve.band import Band, FloatArray

_NEAR = 10.0
"""Einstein times from t_0 beyond which what a model leaves is no fault of it."""

_ACCURATE, _ROUGH = 3e-4, 1e-2
"""Relative errors of magnifications near caustics: the best and the worst that last fits ask for."""

_SHARPEST = 1e-4
"""The best where differences are a tenth of the usual ones (`loaders.event_models.one_fit`)."""

NUMERIC = (np.linalg.LinAlgError, ValueError, FloatingPointError, ZeroDivisionError, OverflowError)
"""What a fit may fail with that wandered off: the event then has that fit less."""


@dataclass(frozen=True)
class Setting:
    """An event.

    Parameters
    ----------
    bands
        Its light curves, errors scaled; each with three points at least.
    ra, dec
        Degrees ICRS.
    t_0_par
        Time of reference of parallax, BJD (TDB).
    parallax
        Whether it lasts long enough for parallax.
    limb
        Shape (n_band,): linear limb darkening as it usually is.
    darkness
        By what limbs are darker than that, a factor (`loaders.event_models.limb_fit`).
    until
        When searches end, by the clock of what this process computes (`time.process_time`).
    """

    bands: Sequence[Band]
    ra: float
    dec: float
    t_0_par: float
    parallax: bool
    limb: FloatArray
    darkness: float = 1.0
    until: float = np.inf

    def view(
        self, bands: Sequence[Band], accuracy: float, fixed: FloatArray | None = None, dark: bool = False
    ) -> View:
        """A view of some light curves of the event.

        Parameters
        ----------
        bands
            All of its elements, or the one that has most points.
        accuracy
            Relative error of magnifications near caustics.
        fixed
            Shape (2,) or (0,): parallax of models that do not fit it.
        dark
            Whether limbs are dark: searches take discs to be uniform, which is faster by far.
        """
        points = Points.of(bands)
        moved = displacement_of(points, self.ra, self.dec, self.t_0_par) if self.parallax else None
        names = [band.name for band in self.bands]
        usual = np.array([self.limb[names.index(name)] for name in points.names])
        held = tuple(fixed.tolist()) if fixed is not None and fixed.size else (0.0, 0.0)
        limb = (self.darkness if dark else 0.0) * usual
        return View(points, moved, limb, accuracy, held, self.t_0_par, usual if dark else None, self.until)

    @cached_property
    def fine(self) -> float:
        """Relative error of magnifications that does no harm: a fifth of that of the best points."""
        band = max(self.bands, key=len)
        relative = band.error / np.maximum(np.abs(band.flux - band.flux.min()), band.error)
        return float(np.clip(0.2 * np.quantile(relative, 1e-3), _ACCURATE, _ROUGH))

    @property
    def sharp(self) -> float:
        """The same of last fits, whose derivatives are small differences."""
        return max(0.1 * self.fine, _SHARPEST)

    @property
    def main(self) -> str:
        """The element with most points."""
        return max(self.bands, key=len).name


def time_scales(parameter: FloatArray) -> tuple[float, float, float]:
    """t_0, t_eff and t_E (days) of parameters that begin with t_0, u_0 and ln t_E."""
    t_e = float(np.exp(parameter[2]))
    return float(parameter[0]), max(abs(float(parameter[1])), 1e-3) * t_e, t_e


def residual_of(kind: Kind, view: View, parameter: FloatArray) -> FloatArray:
    """What a model leaves, with its best fluxes, in errors, shape (n,)."""
    return solve_fluxes(view.points, curves_of(kind, view)(parameter, view.points.time))[1]


def windows_left(kind: Kind, view: View, parameter: FloatArray, most: int = 8) -> list[Window]:
    """Where a model is off, by the element that has most points, at most ten Einstein times from t_0."""
    return windows_of(view, parameter, residual_of(kind, view, parameter), most)


def windows_of(view: View, parameter: FloatArray, residual: FloatArray, most: int) -> list[Window]:
    """Where residuals (shape (n,), errors) of a model hold together, as `windows_left`."""
    part = max(view.points.slices, key=lambda one: one.stop - one.start)
    time = view.points.time[part]
    near = np.abs(time - parameter[0]) < _NEAR * np.exp(parameter[2])
    return windows(time[near], residual[part][near], most)


def softened(bands: Sequence[Band], floor: float) -> list[Band]:
    """Light curves whose errors are not below a share of how far the flux is from its median."""
    out = []
    for band in bands:
        above = np.abs(band.flux - np.median(band.flux))
        out.append(Band(band.name, band.time, band.flux, np.hypot(band.error, floor * above)))
    return out


def condensed(
    setting: Setting, single: FloatArray, left: Sequence[Window], parts: float, sharp: bool = False
) -> list[Band]:
    """The light curves with few points where nothing happens; elements with fewer than three are left out.

    Where it is to be sharp, points are joined nowhere but where light curves are straight.
    """
    short = [window for window in left if window.length < np.exp(single[2])]
    join = condense_bent if sharp else condense_about
    few = join(setting.bands, time_scales(single), short, parts)
    return [band for band in few if len(band) > 2]


def crossing_time(source_flux: float) -> float:
    """Days that a source takes to move by its own radius, from its flux in nJy near 1.5 μm.

    A giant of the red clump, 11 solar radii at 8 kpc, has a radius of 6 μas and about 15.2 mag (AB) behind
    its dust; others go by the root of their flux. They move by 6 mas a year.
    """
    size = 6.0 * np.sqrt(max(source_flux, 0.0) / 3020000.0)
    return float(np.clip(size / 6000.0 * 365.25, 0.01, 1.0))
