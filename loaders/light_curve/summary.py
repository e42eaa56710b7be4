"""Additive statistics of light-curve segments: what a search of the whole survey scans instead of points.

Means and central moments merge pairwise without loss by the formulae of Chan, Golub & LeVeque (1983, The
American Statistician 37, 242) and, for third and fourth moments, Pébay (2008, Sandia report SAND2008-6212).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatMatrix = npt.NDArray[np.float32]

#: A run counts successive points more than this many errors above the reference.
RUN_THRESHOLD = 3.0

#: Fields of a summary, named as the columns of ``roman.light_curve_summary``. NaN where there is no point.
SUMMARY_DTYPE = np.dtype(
    [
        ("n_point", "i4"),
        ("n_flagged", "i4"),
        ("sum_weight", "f8"),
        ("mean_flux", "f8"),
        ("weighted_m2", "f8"),
        ("unweighted_mean", "f8"),
        ("unweighted_m2", "f8"),
        ("unweighted_m3", "f8"),
        ("unweighted_m4", "f8"),
        ("min_flux", "f4"),
        ("max_flux", "f4"),
        ("first_flux", "f4"),
        ("last_flux", "f4"),
        ("first_mjd_tdb", "f8"),
        ("last_mjd_tdb", "f8"),
        ("sum_squared_difference", "f8"),
        ("longest_run", "i4"),
        ("leading_run", "i4"),
        ("trailing_run", "i4"),
    ]
)

SummaryArray = npt.NDArray[np.void]


@dataclass(frozen=True)
class SegmentMatrix:
    """Photometry of the objects of a block.

    Parameters
    ----------
    flux, flux_err
        Shape (n_object, n_epoch), nJy; NaN where the object was not measured.
    flags
        Shape (n_object, n_epoch): photometry flags.
    """

    flux: FloatMatrix
    flux_err: FloatMatrix
    flags: npt.NDArray[np.uint16]


def summarise(
    segments: SegmentMatrix,
    mjd_tdb: npt.NDArray[np.float64],
    reference_flux: npt.NDArray[np.float64],
    excluding_flags: int,
) -> SummaryArray:
    """Summarise the segments of a block.

    Parameters
    ----------
    mjd_tdb
        Shape (n_epoch,): times, ascending.
    reference_flux
        Shape (n_object,), nJy: flux against which runs are counted; NaN for no runs.
    excluding_flags
        Points with any of these bits do not count, nor do those whose flux or error is not finite.

    Returns
    -------
    numpy.ndarray
        Shape (n_object,), dtype `SUMMARY_DTYPE`.
    """
    out = np.zeros(segments.flux.shape[0], SUMMARY_DTYPE)
    _summarise_rows(
        segments.flux, segments.flux_err, segments.flags, mjd_tdb, reference_flux, excluding_flags, out
    )
    return out


@compiled()
def _summarise_rows(
    flux: Any, flux_err: Any, flags: Any, mjd: Any, reference: Any, excluding: Any, out: Any
) -> None:
    """Summarise every object in two passes over its points: means first, then moments about them."""
    for i in range(flux.shape[0]):
        _first_pass(flux[i], flux_err[i], flags[i], mjd, excluding, out[i])
        _second_pass(flux[i], flux_err[i], flags[i], excluding, out[i])
        _count_runs(flux[i], flux_err[i], flags[i], excluding, reference[i], out[i])


@compiled(inline="always")
def _is_point(flux: Any, flux_err: Any, flags: Any, excluding: Any) -> Any:
    """Whether a point counts."""
    return flags & excluding == 0 and np.isfinite(flux) and 0 < flux_err < np.inf


@compiled()
def _first_pass(flux: Any, flux_err: Any, flags: Any, mjd: Any, excluding: Any, row: Any) -> None:
    """Counts, means, extremes and successive differences."""
    n, flagged = 0, 0
    weights, weighted, total, squares = 0.0, 0.0, 0.0, 0.0
    row.min_flux, row.max_flux = np.inf, -np.inf
    for j in range(flux.size):
        flagged += flags[j] != 0
        if not _is_point(flux[j], flux_err[j], flags[j], excluding):
            continue
        value, weight = np.float64(flux[j]), 1.0 / np.float64(flux_err[j]) ** 2
        if n == 0:
            row.first_flux, row.first_mjd_tdb = flux[j], mjd[j]
        else:
            squares += (value - row.last_flux) ** 2
        n += 1
        weights += weight
        weighted += weight * value
        total += value
        row.last_flux, row.last_mjd_tdb = flux[j], mjd[j]
        row.min_flux, row.max_flux = min(row.min_flux, flux[j]), max(row.max_flux, flux[j])
    row.n_point, row.n_flagged, row.sum_weight, row.sum_squared_difference = n, flagged, weights, squares
    if n == 0:
        row.mean_flux = row.unweighted_mean = np.nan
        row.min_flux = row.max_flux = row.first_flux = row.last_flux = np.nan
        row.first_mjd_tdb = row.last_mjd_tdb = np.nan
    else:
        row.mean_flux, row.unweighted_mean = weighted / weights, total / n


@compiled()
def _second_pass(flux: Any, flux_err: Any, flags: Any, excluding: Any, row: Any) -> None:
    """Central moments about the means."""
    weighted, m2, m3, m4 = 0.0, 0.0, 0.0, 0.0
    for j in range(flux.size):
        if _is_point(flux[j], flux_err[j], flags[j], excluding):
            weighted += ((flux[j] - row.mean_flux) / np.float64(flux_err[j])) ** 2
            d = flux[j] - row.unweighted_mean
            m2 += d * d
            m3 += d * d * d
            m4 += d * d * d * d
    row.weighted_m2, row.unweighted_m2, row.unweighted_m3, row.unweighted_m4 = weighted, m2, m3, m4


@compiled()
def _count_runs(flux: Any, flux_err: Any, flags: Any, excluding: Any, reference: Any, row: Any) -> None:
    """Longest, leading and trailing run of points above the reference."""
    longest, leading, current = 0, 0, 0
    unbroken = True
    for j in range(flux.size):
        if not _is_point(flux[j], flux_err[j], flags[j], excluding):
            continue
        if flux[j] - reference > RUN_THRESHOLD * flux_err[j]:
            current += 1
            longest = max(longest, current)
            leading += unbroken
        else:
            current = 0
            unbroken = False
    row.longest_run, row.leading_run, row.trailing_run = longest, leading, current


def merge_summaries(a: SummaryArray, b: SummaryArray) -> SummaryArray:
    """Merge the summaries of earlier segments ``a`` with those of later ones ``b``, element by element."""
    out = np.zeros(a.shape, SUMMARY_DTYPE)
    both = (a["n_point"] > 0) & (b["n_point"] > 0)
    _merge_additive(a, b, out)
    _merge_ends(a, b, both, out)
    _merge_weighted(a, b, both, out)
    _merge_moments(a, b, both, out)
    _merge_runs(a, b, out)
    return out


def _merge_additive(a: SummaryArray, b: SummaryArray, out: SummaryArray) -> None:
    """Add what simply adds and keep the extremes."""
    for name in ("n_point", "n_flagged", "sum_weight"):
        out[name] = a[name] + b[name]
    out["min_flux"] = np.fmin(a["min_flux"], b["min_flux"])
    out["max_flux"] = np.fmax(a["max_flux"], b["max_flux"])


def _merge_ends(a: SummaryArray, b: SummaryArray, both: npt.NDArray[np.bool_], out: SummaryArray) -> None:
    """Join the ends: the difference between the last point of one and the first of the other counts."""
    out["first_flux"] = np.where(a["n_point"] > 0, a["first_flux"], b["first_flux"])
    out["first_mjd_tdb"] = np.where(a["n_point"] > 0, a["first_mjd_tdb"], b["first_mjd_tdb"])
    out["last_flux"] = np.where(b["n_point"] > 0, b["last_flux"], a["last_flux"])
    out["last_mjd_tdb"] = np.where(b["n_point"] > 0, b["last_mjd_tdb"], a["last_mjd_tdb"])
    joint = np.where(both, b["first_flux"].astype("f8") - a["last_flux"], 0.0) ** 2
    out["sum_squared_difference"] = a["sum_squared_difference"] + b["sum_squared_difference"] + joint


def _merge_weighted(a: SummaryArray, b: SummaryArray, both: npt.NDArray[np.bool_], out: SummaryArray) -> None:
    """Merge weighted mean and second moment (Chan et al. 1983, equation 2.1, with weights for counts)."""
    delta = np.where(both, b["mean_flux"] - a["mean_flux"], 0.0)
    share = b["sum_weight"] / np.where(out["sum_weight"] > 0, out["sum_weight"], 1.0)
    out["mean_flux"] = np.where(both, a["mean_flux"] + delta * share, _either(a, b, "mean_flux"))
    out["weighted_m2"] = a["weighted_m2"] + b["weighted_m2"] + delta**2 * a["sum_weight"] * share


def _merge_moments(a: SummaryArray, b: SummaryArray, both: npt.NDArray[np.bool_], out: SummaryArray) -> None:
    """Merge plain mean and moments to the fourth (Pébay 2008, equations 2.1 to 3.1)."""
    n_a, n_b = a["n_point"].astype("f8"), b["n_point"].astype("f8")
    n = np.maximum(n_a + n_b, 1.0)
    delta = np.where(both, b["unweighted_mean"] - a["unweighted_mean"], 0.0)
    a2, a3, a4 = (a[name] for name in ("unweighted_m2", "unweighted_m3", "unweighted_m4"))
    b2, b3, b4 = (b[name] for name in ("unweighted_m2", "unweighted_m3", "unweighted_m4"))
    out["unweighted_mean"] = np.where(
        both, a["unweighted_mean"] + delta * n_b / n, _either(a, b, "unweighted_mean")
    )
    out["unweighted_m2"] = a2 + b2 + delta**2 * n_a * n_b / n
    out["unweighted_m3"] = (
        a3 + b3 + delta**3 * n_a * n_b * (n_a - n_b) / n**2 + 3 * delta * (n_a * b2 - n_b * a2) / n
    )
    out["unweighted_m4"] = (
        a4
        + b4
        + delta**4 * n_a * n_b * (n_a**2 - n_a * n_b + n_b**2) / n**3
        + 6 * delta**2 * (n_a**2 * b2 + n_b**2 * a2) / n**2
        + 4 * delta * (n_a * b3 - n_b * a3) / n
    )


def _merge_runs(a: SummaryArray, b: SummaryArray, out: SummaryArray) -> None:
    """Merge runs: one that ends ``a`` goes on into one that begins ``b``."""
    whole_a, whole_b = a["leading_run"] == a["n_point"], b["trailing_run"] == b["n_point"]
    joined = a["trailing_run"] + b["leading_run"]
    out["longest_run"] = np.maximum(np.maximum(a["longest_run"], b["longest_run"]), joined)
    out["leading_run"] = np.where(whole_a, a["n_point"] + b["leading_run"], a["leading_run"])
    out["trailing_run"] = np.where(whole_b, b["n_point"] + a["trailing_run"], b["trailing_run"])


def _either(a: SummaryArray, b: SummaryArray, name: str) -> npt.NDArray[np.float64]:
    """Value of whichever has points."""
    return np.where(a["n_point"] > 0, a[name], b[name])
