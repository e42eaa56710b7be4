"""Pictures of mosaics of fields: the whole field, its detectors outlined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes

from loaders.report_page.picture import AMBER, Picture, new_figure
from loaders.season_report.facts import FloatArray, MosaicFacts

#: Percentiles of the pixels at which black and white are, and how many deviations of the sky are linear.
_DARK, _LIGHT, _LINEAR = 2.0, 99.7, 3.0

#: Width of a picture, inches.
_SIZE = 6.4

#: Share of the picture that a detector must be wide for its name to stand there.
_LEAST_LABEL = 0.04


def mosaic_pictures(mosaics: Sequence[MosaicFacts]) -> Iterator[Picture]:
    """Draw mosaics, one after the other."""
    for one in mosaics:
        yield draw_mosaic(one)


def draw_mosaic(facts: MosaicFacts) -> Picture:
    """Draw a mosaic with its detectors."""
    ny, nx = facts.shape
    height = float(np.clip(_SIZE * ny / nx, 2.4, 9.0))
    figure = new_figure(_SIZE, height)
    axes: Axes = figure.subplots()
    # The tangent point is the origin; pixels run west, so that east is on the left.
    per_pixel = facts.pixel_scale / 60
    left, bottom = -(facts.x_ref + 0.5) * per_pixel, -(facts.y_ref + 0.5) * per_pixel
    wide, high = (length * facts.side * per_pixel for length in facts.small.shape[::-1])
    axes.imshow(
        np.ma.masked_invalid(stretched(facts.small)),
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=(left, left + wide, bottom, bottom + high),
        aspect="equal",
    )
    axes.set_facecolor("#dfe7ee")
    for detector, (x, y) in facts.outlines.items():
        across, up = (x - facts.x_ref) * per_pixel, (y - facts.y_ref) * per_pixel
        axes.plot(np.append(across, across[0]), np.append(up, up[0]), color=AMBER, linewidth=0.8)
        if np.ptp(across) > _LEAST_LABEL * nx * per_pixel:
            axes.text(across.mean(), up.max(), detector, color=AMBER, fontsize=6, ha="center", va="bottom")
    axes.set_xlim(left, left + nx * per_pixel)
    axes.set_ylim(bottom, bottom + ny * per_pixel)
    axes.set_xlabel("west of the centre of the field (arcmin)")
    axes.set_ylabel("north of it (arcmin)")
    where = f"{facts.field} in {facts.optical_element}, season {facts.season}"
    count = f"{len(facts.outlines)} detector{'s' if len(facts.outlines) != 1 else ''}"
    return Picture(
        f"mosaic_{facts.field_mosaic_id}",
        f"Mosaic of {where}",
        f"The sky of field {where}: {count}, {facts.fraction_covered:.0%} of {nx} by {ny} pixels covered.",
        f"{count}, outlined, of {facts.n_exposure:,} exposures; blue-grey where there is none. "
        f"Each dot is the mean of {facts.side} × {facts.side} pixels of {facts.pixel_scale:g}″. {facts.path}",
        figure,
    )


def stretched(image: FloatArray) -> FloatArray:
    """Pixels from 0 (dark) to 1 (light), linear near the sky and logarithmic in stars; NaN stays."""
    known = image[np.isfinite(image)]
    if not known.size:
        return image
    low, high = np.percentile(known, [_DARK, _LIGHT])
    spread = max(1.4826 * float(np.median(np.abs(known - np.median(known)))), 1e-6 * max(high - low, 1e-30))
    scaled = np.arcsinh((image - low) / (_LINEAR * spread))
    return np.asarray(np.clip(scaled / max(float(np.arcsinh((high - low) / (_LINEAR * spread))), 1e-9), 0, 1))
