"""Picture of the PSF of a reference image at places over it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from loaders.report.facts import FloatArray, PsfFacts
from loaders.report.image_pictures import with_missing
from loaders.report_page.picture import Picture, new_figure

#: Ellipticity whose line is as long as a place is wide.
_FULL_LENGTH = 0.2


def draw_psf_shape(psf: PsfFacts, shape: tuple[int, int], prefix: str) -> Picture:
    """Draw width, ellipticity and fourth moment of a PSF over an image of some shape (ny, nx).

    Parameters
    ----------
    psf
        Its shape at places that are the middles of equal parts of the image, as many along x as along y.
    shape
        Fine pixels (ny, nx).
    prefix
        What the name of the file begins with.
    """
    figure = new_figure(7.2, float(np.clip(3.4 * shape[0] / shape[1], 2.4, 5.0)))
    left, right = figure.subplots(1, 2)
    _map(figure, left, psf.fwhm, shape, "full width at half maximum [arcsec]")
    edge = [withStroke(linewidth=3.0, foreground="black")]
    lines = list(_lines(psf, shape))
    left.add_collection(LineCollection(lines, colors="white", linewidths=1.6, path_effects=edge))
    _map(figure, right, psf.fourth, shape, "fourth moment along the axes")
    failed = int(np.count_nonzero(psf.flags))
    widths = _range(psf.fwhm, 4)
    return Picture(
        f"{prefix}_psf_shape",
        "The PSF over the image",
        f"Maps of the width of the PSF, {widths} arcsec, and of its fourth moment, {_range(psf.fourth, 3)}; "
        f"{failed} of {psf.x.size} places failed.",
        f"Left the width, {widths} arcsec, with lines along the longer axis of the PSF: one as long as a "
        f"place is an ellipticity of {_FULL_LENGTH}. Right the fourth moment, 0.75 of a Gaussian; third "
        f"moments are {_range(psf.third, 3)}. Orange: places where it could not be measured ({failed} of "
        f"{psf.x.size}).",
        figure,
    )


def _map(figure: Figure, axes: Axes, values: FloatArray, shape: tuple[int, int], title: str) -> None:
    """Draw values at places as a map."""
    side = round(float(np.sqrt(values.size)))
    limits: dict[str, Any] = {} if np.isfinite(values).any() else {"vmin": 0.0, "vmax": 1.0}
    shown = axes.imshow(
        np.ma.masked_invalid(values.reshape(side, side)),
        origin="lower",
        interpolation="nearest",
        extent=(-0.5, shape[1] - 0.5, -0.5, shape[0] - 0.5),
        cmap=with_missing("viridis"),
        **limits,
    )
    axes.set_title(title, fontsize=8)
    axes.set_xlabel("x [fine pixels]")
    axes.set_ylabel("y [fine pixels]")
    figure.colorbar(shown, ax=axes, shrink=0.85, format="{x:,.4g}")


def _lines(psf: PsfFacts, shape: tuple[int, int]) -> FloatArray:
    """Ends of lines along the longer axes of the PSF, shape (n, 2, 2); none of places that failed."""
    known = np.isfinite(psf.e1) & np.isfinite(psf.e2)
    angle = np.arctan2(psf.e2[known], psf.e1[known]) / 2
    place = min(shape) / round(float(np.sqrt(psf.x.size)))
    half = np.hypot(psf.e1[known], psf.e2[known]) / _FULL_LENGTH * place / 2
    step = np.column_stack([half * np.cos(angle), half * np.sin(angle)])
    middle = np.column_stack([psf.x[known], psf.y[known]])
    return np.stack([middle - step, middle + step], axis=1)


def _range(values: FloatArray, places: int) -> str:
    """Least and largest of what is known, in words."""
    known = values[np.isfinite(values)]
    return f"{known.min():.{places}f} to {known.max():.{places}f}" if known.size else "not known"
