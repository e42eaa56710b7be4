"""Pictures of a reference image: its pixels, how many exposures see each place, and its PSF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from loaders.report.facts import FloatArray, ReferencePixels
from loaders.report.pixels import Values, masked, shrink, stretch, stretch_ticks
from loaders.report_page.picture import AMBER, Picture, draw_marks, grid_behind, new_figure

_WIDTH = 6.4

#: Longest side of a thumbnail, pixels.
_THUMBNAIL = 340

#: Decades below the maximum of the PSF that are drawn.
_DECADES = 6.0


@dataclass(frozen=True)
class Marks:
    """Places of one class on an image: its name, its colour and marker, and pixels of shape (n,)."""

    name: str
    look: tuple[str, str]
    x: FloatArray
    y: FloatArray


def image_figure(shape: tuple[int, int], width: float = _WIDTH) -> tuple[Figure, Axes]:
    """Make a figure for an image of some shape (ny, nx), with a scale of colours beside it."""
    height = np.clip((width - 1.4) * shape[0] / shape[1] + 0.5, 2.2, 9.0)
    figure = new_figure(width, float(height))
    axes: Axes = figure.subplots()
    axes.set_xlabel("x [fine pixels]")
    axes.set_ylabel("y [fine pixels]")
    return figure, axes


def lay_image(axes: Axes, values: Values, step: int = 1, **look: Any) -> AxesImage:
    """Draw an image, made smaller by a step, in the pixels that it had before."""
    ny, nx = (side * step for side in values.shape)
    shown = axes.imshow(
        values,
        origin="lower",
        interpolation="nearest",
        extent=(-0.5, nx - 0.5, -0.5, ny - 0.5),
        **look,
    )
    axes.set_xlim(-0.5, nx - 0.5)
    axes.set_ylim(-0.5, ny - 0.5)
    return shown


def mark_by_class(figure: Figure, shape: tuple[int, int], marks: Sequence[Marks]) -> str:
    """Mark places on the first axes of a figure in the look of their class, with a legend above.

    Parameters
    ----------
    figure
        Figure of an image, or of none.
    shape
        Shape (ny, nx) of that image.
    marks
        What is marked, class by class.

    Returns
    -------
    str
        How many there are of each class, in words.
    """
    axes = figure.axes[0]
    axes.set_xlim(-0.5, shape[1] - 0.5)
    axes.set_ylim(-0.5, shape[0] - 0.5)
    axes.set_aspect("equal")
    handles = [draw_marks(axes, one.x, one.y, one.look, f"{one.name} ({one.x.size:,})") for one in marks]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(marks), frameon=False, fontsize=8)
    return ", ".join(f"{one.x.size:,} {one.name}" for one in marks)


def with_missing(name: str, colour: str = AMBER) -> mpl.colors.Colormap:
    """Colour map with a colour of its own for pixels that do not count."""
    return mpl.colormaps[name].with_extremes(bad=colour)


def draw_image(pixels: ReferencePixels, prefix: str) -> Picture:
    """Draw the image itself."""
    values, step = shrink(masked(pixels.flux, pixels.usable))
    figure, axes = image_figure(pixels.flux.shape)
    norm = stretch(values)
    shown = lay_image(axes, values, step, cmap=with_missing("gray"), norm=norm)
    bar = figure.colorbar(shown, ax=axes, label="flux [nJy per fine pixel]", shrink=0.9, format="{x:,.4g}")
    bar.set_ticks(stretch_ticks(norm))
    lost = 1 - float(pixels.usable.mean())
    ny, nx = pixels.flux.shape
    return Picture(
        f"{prefix}_image",
        "The image",
        f"Reference image of {nx} by {ny} fine pixels, {lost:.2%} of which do not count.",
        "Stars are white. Stretched by the inverse hyperbolic sine: linear about the sky, logarithmic above. "
        f"Orange: pixels that do not count ({lost:.2%})." + _smaller(step),
        figure,
    )


def draw_thumbnail(pixels: ReferencePixels, prefix: str, name: str) -> Picture:
    """Draw the image small, without axes; ``name`` is that of the image."""
    values, step = shrink(masked(pixels.flux, pixels.usable), _THUMBNAIL)
    height = np.clip(2.6 * pixels.flux.shape[0] / pixels.flux.shape[1], 1.0, 4.0)
    figure = new_figure(2.6, float(height))
    axes: Axes = figure.subplots()
    lay_image(axes, values, step, cmap=with_missing("gray"), norm=stretch(values))
    axes.set_axis_off()
    return Picture(f"{prefix}_thumbnail", name, f"Reference image {name}, small.", "", figure)


def draw_coverage(pixels: ReferencePixels, prefix: str) -> Picture:
    """Draw how many exposures see each place."""
    values, step = shrink(pixels.coverage.astype(np.float64))
    figure, axes = image_figure(pixels.coverage.shape)
    shown = lay_image(axes, values, step, cmap="cividis", vmin=0, vmax=max(float(values.max()), 1.0))
    figure.colorbar(shown, ax=axes, label="exposures", shrink=0.9)
    least, middle, most = (float(v) for v in np.quantile(pixels.coverage, (0.0, 0.5, 1.0)))
    return Picture(
        f"{prefix}_coverage",
        "Coverage",
        f"Map of exposures at each place: {least:.0f} to {most:.0f}, {middle:.0f} in the median.",
        f"Exposures at each place: {least:.0f} to {most:.0f}, {middle:.0f} in the median; the file counts to "
        "255. Blotches of low numbers are places where pixels were left out or dithers do not reach."
        + _smaller(step),
        figure,
    )


def psf_profile(psf: FloatArray, oversampling: int) -> tuple[FloatArray, FloatArray]:
    """Mean of a PSF in rings about its middle.

    Parameters
    ----------
    psf
        Shape (n, n).
    oversampling
        Grid steps per pixel.

    Returns
    -------
    tuple of ndarray
        Radii in pixels, and means in rings one grid step wide.
    """
    half = (psf.shape[0] - 1) / 2
    axis = np.arange(psf.shape[0]) - half
    ring = np.rint(np.hypot(axis[:, None], axis)).astype(np.int64)
    count = np.bincount(ring.ravel())
    mean = np.bincount(ring.ravel(), weights=psf.ravel()) / count
    inside = np.arange(mean.size) <= half
    return np.arange(mean.size)[inside] / oversampling, mean[inside]


def draw_psf(pixels: ReferencePixels, prefix: str) -> Picture:
    """Draw the PSF in the middle of the image, and its profile, both logarithmic."""
    psf, fine = pixels.psf, pixels.psf_oversampling
    top = float(psf.max())
    figure = new_figure(_WIDTH, 3.0)
    left, right = figure.subplots(1, 2)
    half = (psf.shape[0] - 1) / 2 / fine
    shown = left.imshow(
        np.maximum(psf, top * 10**-_DECADES),
        norm=LogNorm(top * 10**-_DECADES, top),
        cmap="viridis",
        origin="lower",
        extent=(-half, half, -half, half),
    )
    left.set_xlabel("x [fine pixels]")
    left.set_ylabel("y [fine pixels]")
    figure.colorbar(shown, ax=left, shrink=0.85)
    radius, mean = psf_profile(psf, fine)
    right.semilogy(radius[mean > 0], mean[mean > 0], color="#0072B2", linewidth=1.2)
    right.set_ylim(top * 10**-_DECADES, top * 2)
    right.set_xlabel("radius [fine pixels]")
    right.set_ylabel("share of the light in a pixel")
    grid_behind(right)
    return Picture(
        f"{prefix}_psf",
        "Point spread function",
        f"Point spread function, its maximum {top:.3g} of the light in a pixel, over {_DECADES:.0f} decades, "
        "and its mean profile against radius.",
        "In the middle of the image, logarithmic, with its mean in rings. A core that is not round, or a "
        "profile with a step, says that the PSF was not built well.",
        figure,
    )


def _smaller(step: int) -> str:
    """What is to be said of an image that is drawn smaller than it is."""
    return "" if step == 1 else f" Drawn smaller: means of {step} × {step} pixels."
