"""A microlensing event: its light curve, its models, and the curves of these as the service computes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Row, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODELS = """
    SELECT event_model_id, rank, name, n_lens, n_source, has_finite_source, has_parallax, chi2, n_point,
           n_parameter, bic, t_0_par, twin_of, degeneracy, up_to_season
    FROM roman.event_model WHERE event_id = {event_id} AND superseded_at IS NULL ORDER BY rank
"""
PARAMETERS = """
    SELECT p.event_model_id, p.name, p."value", p.err, p.value_lower, p.value_median, p.value_upper, p.unit
    FROM roman.event_model_parameter AS p JOIN roman.event_model AS m ON m.event_model_id = p.event_model_id
    WHERE m.event_id = {event_id} AND m.superseded_at IS NULL ORDER BY p.event_model_id, p.name
"""
FLUXES = """
    SELECT f.event_model_id, f.optical_element, f.source_number, f.flux, f.flux_err, f.error_scale
    FROM roman.event_model_flux AS f JOIN roman.event_model AS m ON m.event_model_id = f.event_model_id
    WHERE m.event_id = {event_id} AND m.superseded_at IS NULL
    ORDER BY f.event_model_id, f.optical_element, f.source_number
"""


@dataclass(frozen=True)
class Event:
    """An event.

    Parameters
    ----------
    row
        Its row of ``roman.event``.
    light_curve
        All points of its object with that kind of photometry, as `Catalog.light_curve` has them.
    models
        Models that stand, the believed one first (rank 1).
    all_parameters, all_fluxes
        Of all models, by ``event_model_id``; source 0 is the flux that is not lensed.
    ask_curves
        Function that asks the service for ``models`` or ``residuals`` between two times.
    """

    row: Row
    light_curve: Table
    models: Table
    all_parameters: Table
    all_fluxes: Table
    ask_curves: Callable[[str, tuple[float, float] | None], Table]

    @property
    def parameters(self) -> Table:
        """Parameters of the believed model; no rows where it has none."""
        return self._of_believed(self.all_parameters)

    @property
    def fluxes(self) -> Table:
        """Fluxes of the believed model, nJy; no rows where it has none."""
        return self._of_believed(self.all_fluxes)

    def model_curves(self, span: tuple[float, float] | None = None) -> Table:
        """Curves of the models.

        Parameters
        ----------
        span
            First and last time (BJD TDB, d); None for the time of the event.

        Returns
        -------
        Table
            ``rank``, ``name``, ``optical_element``, ``time`` (BJD TDB, d), ``flux`` (nJy).
        """
        return self._asked("models", span)

    def residuals(self, span: tuple[float, float] | None = None) -> Table:
        """What the believed model leaves, in errors: ``residual``, beside all points of the event."""
        return self._asked("residuals", span)

    def _asked(self, what: str, span: tuple[float, float] | None) -> Table:
        found = self.ask_curves(what, span)
        found.rename_column("bjd_tdb", "time")
        return found

    def plot(self, axes: Axes | None = None, span: tuple[float, float] | None = None) -> Axes:
        """Draw points and the believed model over BJD (TDB), each element in a colour of its own."""
        from matplotlib import pyplot  # it takes long, and is not always wanted

        axes = pyplot.subplots(figsize=(8, 4.5))[1] if axes is None else axes
        curves, points = self.model_curves(span), self.residuals(span)
        for colour, element in enumerate(np.unique(np.asarray(points["optical_element"])).tolist()):
            mine = points[points["optical_element"] == element]
            style: dict[str, Any] = {"color": f"C{colour}", "alpha": 0.6, "fmt": ".", "zorder": 1}
            axes.errorbar(mine["time"], mine["flux"], mine["flux_err"], label=element, **style)
            curve = curves[(curves["optical_element"] == element) & (curves["rank"] == curves["rank"].min())]
            axes.plot(curve["time"], curve["flux"], color=f"C{colour}", zorder=2)
        axes.set(xlabel="BJD (TDB)", ylabel="flux density (nJy)", title=f"event {self.row['event_id']}")
        axes.legend()
        return axes

    def _of_believed(self, table: Table) -> Table:
        if not len(self.models):
            return table[:0]
        return table[table["event_model_id"] == self.models["event_model_id"][0]]
