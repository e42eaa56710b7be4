"""What is stored of a refined event: columns of its row, and the matrices of a day's block."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loaders.light_curve.block import BlockPhotometry, MeasurementMatrix
from loaders.light_curve.summary import SegmentMatrix
from loaders.psf.model import FloatArray
from loaders.refined_photometry.exposures import Cutouts, IntArray
from loaders.refined_photometry.refine import MEASURED, RefinedEvent

_DEGREE = 3.6e6
"""mas in a degree."""


@dataclass(frozen=True)
class Target:
    """The object of an event as catalogued: identifier, place (deg ICRS) and its epoch (Julian year)."""

    object_id: int
    ra: float
    dec: float
    ref_epoch: float


def row_of(target: Target, event: RefinedEvent, main: Cutouts | None) -> dict[str, Any]:
    """Columns of ``roman.event_refinement`` that say what was found.

    Parameters
    ----------
    target
        The object.
    event
        What became of it.
    main
        Its exposures in the element in which its place was found; None without.
    """
    row = dict.fromkeys(COLUMNS) | {"status": str(event.status), "optical_element": event.element}
    row["n_exposure"] = _n_measured(event)
    if event.status not in MEASURED or event.scene is None or main is None:
        return row
    return row | _place(target, event) | _quality(event, main)


COLUMNS = (
    *("ref_epoch", "ra", "dec", "ra_err", "dec_err", "ra_dec_corr", "offset_ra", "offset_dec"),
    *("baseline_offset_ra", "baseline_offset_dec", "baseline_offset_ra_err", "baseline_offset_dec_err"),
    *("baseline_flux", "event_flux", "event_flux_err", "n_star", "n_varying", "fraction_rejected"),
    "reduced_chi2",
)
"""Columns that are empty of an event that was not measured."""


def _n_measured(event: RefinedEvent) -> int:
    """Exposures with a flux of the event."""
    fluxes = (event.fluxes or {}).values()
    return sum(int(np.count_nonzero(np.isfinite(one.flux[0]))) for one in fluxes)


def _place(target: Target, event: RefinedEvent) -> dict[str, Any]:
    """Where the light lies that varies, and that which does not; no errors of a place that was held."""
    assert event.scene is not None
    fit = event.scene
    star = int((event.measured if event.measured is not None else np.zeros(1, np.int64))[0])
    east, north = fit.state.place.tolist()
    errors = np.sqrt(np.diag(fit.place_covariance))
    is_fitted = event.status is MEASURED[0]
    return {
        "ref_epoch": target.ref_epoch,
        "ra": (target.ra + east / _DEGREE / math.cos(math.radians(target.dec))) % 360.0,
        "dec": target.dec + north / _DEGREE,
        "ra_err": float(errors[0]) if is_fitted else None,
        "dec_err": float(errors[1]) if is_fitted else None,
        "ra_dec_corr": float(fit.place_covariance[0, 1] / errors.prod()) if is_fitted else None,
        "offset_ra": east,
        "offset_dec": north,
        "baseline_offset_ra": float(fit.state.offset[star, 0]),
        "baseline_offset_dec": float(fit.state.offset[star, 1]),
        "baseline_offset_ra_err": _or_none(fit.baseline_offset_err[0]),
        "baseline_offset_dec_err": _or_none(fit.baseline_offset_err[1]),
        "baseline_flux": float(fit.state.flux[star] + fit.steady),
    }


def _quality(event: RefinedEvent, main: Cutouts) -> dict[str, Any]:
    """How bright the event is, and how well the scene fits."""
    assert event.scene is not None
    assert event.fluxes is not None
    assert event.used is not None
    element = event.element or ""
    fluxes, rows = event.fluxes[element], event.used[element]
    usable = int(np.count_nonzero(main.usable[rows]))
    return {
        "event_flux": event.scene.amplitude,
        "event_flux_err": _or_none(event.scene.amplitude_err),
        "n_star": event.scene.state.flux.size,
        "n_varying": event.scene.state.change.shape[1],
        "fraction_rejected": float(np.count_nonzero(fluxes.state.rejected) / max(usable, 1)),
        "reduced_chi2": _or_none(np.nanmedian(fluxes.reduced_chi2))
        if np.isfinite(fluxes.reduced_chi2).any()
        else None,
    }


def _or_none(value: float) -> float | None:
    """A number, or none where it is not finite, or so large that nothing is known."""
    return float(value) if np.isfinite(value) and abs(value) < 1e30 else None


@dataclass(frozen=True)
class MeasuredObjects:
    """Fluxes of objects in the exposures of one optical element.

    Parameters
    ----------
    object_id
        Shape (m,), ascending.
    segments
        Fluxes, errors and flags, shape (m, n_epoch).
    """

    object_id: IntArray
    segments: SegmentMatrix

    def of_epochs(self, epochs: IntArray) -> MeasuredObjects:
        """The objects with anything to say in some of the exposures, in these alone."""
        parts = [one[:, epochs] for one in (self.segments.flux, self.segments.flux_err, self.segments.flags)]
        told = np.isfinite(parts[0]).any(axis=1) | (parts[2] != 0).any(axis=1)
        return MeasuredObjects(self.object_id[told], SegmentMatrix(*(part[told] for part in parts)))


def lay_out(
    events: Sequence[tuple[RefinedEvent, IntArray, Mapping[str, IntArray]]], element: str, n_epoch: int
) -> MeasuredObjects:
    """Lay out the fluxes of all events and their neighbours in the exposures of an optical element.

    Parameters
    ----------
    events
        Of each event what became of it, the objects of its scene, and by optical element which exposures its
        cut-outs are of. Of an object that several have the first counts, of one that is an event its own.
    element
        Optical element.
    n_epoch
        Exposures of the element.
    """
    found: dict[int, tuple[FloatArray, FloatArray, IntArray]] = {}
    for first in (True, False):
        for event, objects, epochs in events:
            if event.fluxes is None or element not in event.fluxes:
                continue
            assert event.used is not None
            assert event.measured is not None
            fluxes, at = event.fluxes[element], epochs[element][event.used[element]]
            rows = [0] if first else range(1, event.measured.size)
            for row in rows:
                number = int(objects[event.measured[row]])
                values = (fluxes.flux[row], fluxes.flux_err[row], fluxes.flags[row])
                found.setdefault(number, _in_all(values, at, n_epoch))
    ordered = np.array(sorted(found), dtype=np.int64)
    table = [
        np.array([found[int(one)][k] for one in ordered]).reshape(ordered.size, n_epoch) for k in range(3)
    ]
    return MeasuredObjects(
        ordered,
        SegmentMatrix(table[0].astype("f4"), table[1].astype("f4"), table[2].astype("u2")),
    )


def _in_all(
    values: tuple[FloatArray, FloatArray, IntArray], at: IntArray, n_epoch: int
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Fluxes, errors and flags in all exposures of an element; NaN and 0 in those that are not its own."""
    flux, error = np.full(n_epoch, np.nan), np.full(n_epoch, np.nan)
    flags = np.zeros(n_epoch, dtype=np.int64)
    flux[at], error[at], flags[at] = values
    return flux, error, flags


def block_photometry(objects: MeasuredObjects, reference_flux: FloatArray) -> BlockPhotometry:
    """The photometry of a block; of positions, shapes and means there is none."""
    nothing, n = np.full(objects.object_id.size, np.nan), objects.segments.flux.shape[1]
    nobody, empty = np.empty(0, np.int64), np.empty((0, n), np.float32)
    return BlockPhotometry(
        objects.object_id,
        objects.segments,
        reference_flux,
        *(MeasurementMatrix(nobody, [empty] * 4), MeasurementMatrix(nobody, [empty] * 7)),
        *(nothing, nothing, nothing),
    )
