"""One panel of the plot: the points of one optical element, in magnitudes or in flux.

Magnitudes are drawn where every flux is above zero and the errors are small against it; else fluxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from roman_db.query.light_curve import FloatArray, Series
from roman_db.query.photometry import ab_magnitude, ab_magnitude_error

#: Colours that people with any colour vision tell apart (after P. Tol, "Colour Schemes", SRON/EPS/TN/09-002)
#: and markers, by optical element in the order of wavelength.
_STYLES = {
    "F062": ("#AA4499", "v"),
    "F087": ("#0077BB", "s"),
    "F106": ("#44AA99", "^"),
    "F129": ("#117733", "D"),
    "F146": ("#332288", "o"),
    "F158": ("#999933", "P"),
    "F184": ("#CC6677", "X"),
    "F213": ("#BB3300", "h"),
}
_OTHER_STYLE = ("#555555", "o")
CATALOG_LINE: dict[str, Any] = {"color": "#222222", "linestyle": (0, (6, 4)), "linewidth": 0.8, "alpha": 0.8}

#: Magnitudes need points that are, at the median, so many errors above zero.
_SIGNIFICANCE = 5.0
#: With more points than this in a panel, single error bars would be a blur and vector files huge.
_MANY_POINTS = 3000
#: Units of flux in nJy, the largest first.
_FLUX_UNITS = {"mJy": 1e6, "µJy": 1e3, "nJy": 1.0}


@dataclass(frozen=True)
class Panel:
    """What a panel shows; arrays of shape (n_point,) in the units of the axes.

    Parameters
    ----------
    name
        Optical element, with the kind of photometry if it is not that of the PSF.
    quantity, unit
        What is drawn: a magnitude ("mag") or a flux.
    time, value, error
        Days after the offset, magnitude or flux, and its standard error.
    is_good, is_flagged
        Which points are drawn filled, and which open.
    catalog
        Catalogued value; NaN for none.
    """

    name: str
    quantity: str
    unit: str
    time: FloatArray
    value: FloatArray
    error: FloatArray
    is_good: npt.NDArray[np.bool_]
    is_flagged: npt.NDArray[np.bool_]
    catalog: float

    @classmethod
    def of(cls, series: Series, catalog_flux: float, offset: float) -> Panel:
        """Make the panel of a series; ``catalog_flux`` in nJy, ``offset`` in days."""
        kind = series.photometry_kind
        is_flux = kind != "dia"
        unit = _unit(series)
        if unit == "mag":
            value, error = ab_magnitude(series.flux), ab_magnitude_error(series.flux, series.flux_err)
            catalog = float(ab_magnitude(catalog_flux))
        else:
            size = _FLUX_UNITS[unit]
            value, error, catalog = series.flux / size, series.flux_err / size, catalog_flux / size
        return cls(
            series.optical_element if kind == "psf" else f"{series.optical_element} {kind}",
            "AB magnitude" if unit == "mag" else ("flux" if is_flux else "flux difference"),
            unit,
            series.bjd_tdb - offset,
            value,
            error,
            series.is_good & np.isfinite(value),
            ~series.is_good & np.isfinite(value),
            catalog if is_flux else np.nan,
        )

    @property
    def is_magnitude(self) -> bool:
        """Whether the axis runs downwards."""
        return self.unit == "mag"

    @property
    def style(self) -> tuple[str, str]:
        """Colour and marker."""
        return _STYLES.get(self.name.split()[0], _OTHER_STYLE)


def order(series: Series) -> tuple[int, str, str]:
    """Place among the panels: by wavelength, as the styles are."""
    known = list(_STYLES)
    element = series.optical_element
    return known.index(element) if element in known else len(known), element, series.photometry_kind


def draw_panel(row: Sequence[Axes], panel: Panel) -> bool:
    """Draw a panel into axes that share it, each a part of the time; return whether the catalog is seen."""
    n_point = int(panel.is_good.sum() + panel.is_flagged.sum())
    limits = _limits(panel)
    shows_catalog = min(limits) <= panel.catalog <= max(limits)
    for axes in row:
        # What is written in one part of a broken axis may run on into the next.
        axes.patch.set_visible(False)
        if shows_catalog:
            axes.axhline(panel.catalog, zorder=4, **CATALOG_LINE)
        _draw_points(axes, panel, n_point)
    row[0].set_ylim(*limits)
    row[0].set_ylabel(panel.quantity if panel.is_magnitude else f"{panel.quantity} [{panel.unit}]")
    _write_name(row[0], panel, limits)
    return shows_catalog


def _unit(series: Series) -> str:
    """Unit in which a series is drawn."""
    used = series.is_good if series.is_good.any() else series.is_measured
    flux, error = series.flux[used], series.flux_err[used]
    if series.photometry_kind != "dia" and flux.min() > 0 and np.median(flux / error) > _SIGNIFICANCE:
        return "mag"
    largest = np.abs(flux).max()
    return next(unit for unit, size in _FLUX_UNITS.items() if largest > 10 * size or size == 1)


def _limits(panel: Panel) -> tuple[float, float]:
    """Ends of the value axis, brighter up: room for all good points, and for what else is not far off."""
    main = panel.is_good if panel.is_good.any() else panel.is_flagged
    typical = float(np.median(panel.error[main]))
    value, error = panel.value[main], np.minimum(panel.error[main], 2 * typical)
    low, high = float((value - error).min()), float((value + error).max())
    others = np.append(panel.value[panel.is_flagged], panel.catalog)
    near = others[np.abs(others - (low + high) / 2) < high - low]
    low, high = float(min([low, *near])), float(max([high, *near]))
    margin = 0.05 * (high - low) or 1.0
    # The name of the panel stands at the top.
    return (high + margin, low - 3 * margin) if panel.is_magnitude else (low - margin, high + 3 * margin)


def _draw_points(axes: Axes, panel: Panel, n_point: int) -> None:
    """Draw points and error bars: the more there are, the smaller and the more transparent."""
    colour, marker = panel.style
    size = float(np.interp(np.log10(max(n_point, 1)), [1.5, 3, 4, 5], [4.8, 3.0, 1.9, 1.3]))
    alpha = float(np.clip((1200 / max(n_point, 1)) ** 0.5, 0.15, 0.9))
    many = n_point > _MANY_POINTS
    look: dict[str, Any] = {
        "marker": marker,
        "linestyle": "none",
        "color": colour,
        "markersize": size,
        "rasterized": many,
    }
    filled: dict[str, Any] = {"markeredgewidth": 0, "alpha": alpha, "zorder": 3}
    hollow: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 0.6, "zorder": 3.5}
    hollow["alpha"] = max(alpha, 0.4)
    for chosen, shape in ((panel.is_good, filled), (panel.is_flagged, hollow)):
        axes.plot(panel.time[chosen], panel.value[chosen], **look, **shape)
        if not many:
            bars = panel.time[chosen], panel.value[chosen], panel.error[chosen]
            axes.errorbar(*bars, fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.5 * alpha, zorder=1.5)


def _write_name(axes: Axes, panel: Panel, limits: tuple[float, float]) -> None:
    """Write the optical element, how many points there are, and what the picture leaves out."""
    colour, _ = panel.style
    n_good, n_flagged = int(panel.is_good.sum()), int(panel.is_flagged.sum())
    low, high = min(limits), max(limits)
    beyond = int(np.sum((panel.value[panel.is_flagged] < low) | (panel.value[panel.is_flagged] > high)))
    words = [f"{n_good:,} points"]
    if n_flagged:
        words.append(f"{n_flagged:,} flagged" + (f" ({beyond:,} beyond the axis)" if beyond else ""))
    if n_good + n_flagged > _MANY_POINTS:
        error = float(f"{np.median(panel.error[panel.is_good | panel.is_flagged]):.2g}")
        words.append(f"typical error {error:g} {panel.unit}")
    place: dict[str, Any] = {
        "xy": (0, 1),
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "va": "top",
    }
    title: dict[str, Any] = {"color": colour, "fontweight": "bold", "fontsize": 10}
    remark: dict[str, Any] = {"color": "#555555", "fontsize": 8}
    indent = 14 + 7.5 * len(panel.name)
    for text, position, look in (
        (panel.name, (6.0, -5.0), title),
        (", ".join(words), (indent, -6.5), remark),
    ):
        note = axes.annotate(text, xytext=position, zorder=5, annotation_clip=False, **place, **look)
        note.set_in_layout(False)
