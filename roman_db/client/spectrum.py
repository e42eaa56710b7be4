"""A spectrum: its pixels, its redshift with what else it may be, and its lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Row, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WHERE = "WHERE spectrum_id = {spectrum_id}"
#: Redshift, alternatives and lines, in the order in which `Spectrum` takes them.
OF_SPECTRUM = (
    f"SELECT * FROM roman.redshift {_WHERE}",
    f"SELECT * FROM roman.redshift_alternative {_WHERE} ORDER BY rank",
    f"SELECT * FROM roman.line_measurement {_WHERE} ORDER BY wavelength",
)


@dataclass(frozen=True)
class Spectrum:
    """A spectrum.

    Parameters
    ----------
    spectrum_id
        Its number.
    pixels
        ``wavelength`` (µm, vacuum), ``flux`` and ``flux_err`` (NaN where there is none; without a unit where
        the scale is not known), ``mask`` (1 where a pixel is bad), and where it is known ``resolution``.
    redshifts
        Its row of ``roman.redshift``; no row where it was not fitted.
    alternatives
        Other redshifts that it may have, the likelier first.
    lines
        Lines at the best redshift.
    """

    spectrum_id: int
    pixels: Table
    redshifts: Table
    alternatives: Table
    lines: Table

    @property
    def redshift(self) -> Row | None:
        """Row of ``roman.redshift``, with ``z``, ``class_name``, ``reliability``; None without one."""
        return self.redshifts[0] if len(self.redshifts) else None

    @property
    def good(self) -> Table:
        """Pixels that are not masked and have a flux."""
        return self.pixels[(self.pixels["mask"] == 0) & np.isfinite(self.pixels["flux"])]

    def plot(self, axes: Axes | None = None, z: float | None = None) -> Axes:
        """Draw good pixels with errors, and mark measured lines at a redshift, the best unless given."""
        from matplotlib import pyplot  # it takes long, and is not always wanted

        axes = pyplot.subplots(figsize=(8, 4.5))[1] if axes is None else axes
        good = self.good
        wave, flux, error = (np.asarray(good[name]) for name in ("wavelength", "flux", "flux_err"))
        axes.fill_between(wave, flux - error, flux + error, alpha=0.3, linewidth=0)
        axes.plot(wave, flux, linewidth=1)
        for line in self.lines:
            seen = line["wavelength"] * (1 + (float(self.redshifts["z"][0]) if z is None else z))
            axes.axvline(seen, color="C1", linestyle="--", linewidth=1)
            axes.annotate(
                line["line_name"], (seen, 1), xycoords=("data", "axes fraction"), rotation=90, va="top"
            )
        unit = good["flux"].unit
        axes.set(
            xlabel="wavelength in vacuum (µm)", ylabel=f"flux ({unit or 'scale not known'})",
            title=f"spectrum {self.spectrum_id}",
        )  # fmt: skip
        return axes
