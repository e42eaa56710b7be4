"""Rows of one catalog that are the same source: found by position and flux, merged into one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from loaders.catalog.sources import ASTROMETRY, Sources

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_ARCSEC = np.pi / 648_000


@dataclass(frozen=True)
class DuplicateRule:
    """When two rows are one source.

    Parameters
    ----------
    radius
        Largest distance, arcsec.
    sigmas, fraction
        Fluxes in an element that both rows have must agree within `sigmas` of their joint error or within
        this fraction of their mean, whichever is more. In a crowded field two stars may well lie closer than
        the radius; they rarely have equal fluxes too.
    """

    radius: float = 0.03
    sigmas: float = 5.0
    fraction: float = 0.02

    def __post_init__(self) -> None:
        if not 0 < self.radius < 3600 or self.sigmas < 0 or self.fraction < 0:
            raise ValueError(f"radius must be in (0, 3600), sigmas and fraction >= 0, got {self}")


def find_duplicates(sources: Sources, rule: DuplicateRule | None = None) -> IntArray:
    """Number the groups of rows that are one source each.

    A chain counts as one group: if A is B and B is C, then A is C, though they be farther apart.

    Parameters
    ----------
    sources
        Sources with valid positions, at one epoch.
    rule
        When two rows are one source; the defaults of `DuplicateRule` if None.

    Returns
    -------
    ndarray
        Shape (n,), int64: number of the group, from 0, ascending in the order of each group's first row.
    """
    n = len(sources)
    pairs = _close_pairs(sources, rule or DuplicateRule())
    if len(pairs) == 0:
        return np.arange(n)
    links = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    label = connected_components(links, directed=False)[1]
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def merge_duplicates(sources: Sources, group: IntArray) -> Sources:
    """Merge the rows of every group.

    Every number is the mean of the known ones weighted by their inverse variances, its error that of the
    mean. Where a group has a value without an error (or with error 0), value and error are those of its best
    row, or of the first that has the value. The best row is the one with the least known position error, of
    equals the one with most known numbers, of equals the first; `row`, `source_id` and `ref_epoch` are its.

    Parameters
    ----------
    sources
        Sources at one epoch.
    group
        Shape (n,): as `find_duplicates` gives it.

    Returns
    -------
    Sources
        One for each group, in the order of the groups. The identifiers of the rows merged away are those of
        `sources.source_id` with the same `group`.
    """
    if group.shape != sources.row.shape:
        raise ValueError(f"group must have shape {sources.row.shape}, got {group.shape}")
    _, first, size = np.unique(group, return_index=True, return_counts=True)
    merged = sources.take(first)
    several = np.flatnonzero(size > 1)
    rows = np.flatnonzero(size[group] > 1)
    if rows.size == 0:
        return merged
    return merged.put(several, _merge_all(sources.take(rows), np.searchsorted(several, group[rows])))


def _merge_all(sources: Sources, group: IntArray) -> Sources:
    """Merge rows, all of which have a duplicate."""
    best = _best_rows(sources, group)
    mean = _Mean(group, best)
    means = {"ra": mean.angle(sources.ra, sources.ra_err)}
    for name in ("dec", "pm_ra", "pm_dec", "parallax"):
        means[name] = mean.plain(getattr(sources, name), getattr(sources, f"{name}_err"))
    fluxes = {element: mean.plain(flux, sources.flux_err[element]) for element, flux in sources.flux.items()}
    return dataclasses.replace(
        sources.take(best),
        flux={element: values for element, (values, _) in fluxes.items()},
        flux_err={element: errors for element, (_, errors) in fluxes.items()},
        **{name: values for name, (values, _) in means.items()},  # type: ignore[arg-type]
        **{f"{name}_err": errors for name, (_, errors) in means.items()},  # type: ignore[arg-type]
    )


def _unit_vectors(ra: FloatArray, dec: FloatArray) -> FloatArray:
    """Unit vectors, shape (n, 3), of positions in degrees."""
    longitude, latitude = np.radians(ra), np.radians(dec)
    across = np.cos(latitude)
    return np.stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)], axis=1)


def _close_pairs(sources: Sources, rule: DuplicateRule) -> IntArray:
    """Pairs of rows, shape (m, 2), that are one source."""
    if len(sources) < 2:
        return np.empty((0, 2), dtype=np.int64)
    # A tree that is built fast: nearly all points are without a neighbour, the search costs little.
    tree = cKDTree(_unit_vectors(sources.ra, sources.dec), balanced_tree=False, compact_nodes=False)
    chord = 2 * np.sin(rule.radius * _ARCSEC / 2)
    pairs = np.asarray(tree.query_pairs(chord, output_type="ndarray"), dtype=np.int64).reshape(-1, 2)
    same = np.ones(len(pairs), dtype=bool)
    for element, flux in sources.flux.items():
        same &= _agree(flux[pairs], sources.flux_err[element][pairs], rule)
    return pairs[same]


def _agree(flux: FloatArray, error: FloatArray, rule: DuplicateRule) -> npt.NDArray[np.bool_]:
    """Tell which pairs, shape (m, 2), agree in an element; those without both fluxes do."""
    allowed = rule.fraction * np.abs(flux).mean(axis=1)
    noise = rule.sigmas * np.sqrt((np.nan_to_num(error) ** 2).sum(axis=1))
    return np.asarray(~(np.abs(flux[:, 0] - flux[:, 1]) > np.maximum(allowed, noise)))


def _best_rows(sources: Sources, group: IntArray) -> IntArray:
    """Index of the best row of every group."""
    known = sum(np.isfinite(getattr(sources, name)).astype(int) for name in ASTROMETRY)
    known = known + sum(
        (np.isfinite(flux).astype(int) for flux in sources.flux.values()), np.zeros_like(known)
    )
    error = np.hypot(sources.ra_err, sources.dec_err)
    order = np.lexsort((sources.row, -known, np.where(np.isfinite(error), error, np.inf), group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return order[starts].astype(np.int64)


@dataclass(frozen=True)
class _Mean:
    """Weighted means over groups, with the best rows to fall back on."""

    group: IntArray
    best: IntArray

    def plain(self, values: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and its error, one for each group."""
        known = np.isfinite(values)
        weighable = known & (errors > 0) & np.isfinite(errors)
        weight = np.where(weighable, 1 / np.where(weighable, errors, 1.0) ** 2, 0.0)
        total = self._sum(weight)
        meaningful = (total > 0) & (self._sum(known & ~weighable) == 0)
        divisor = np.where(meaningful, total, 1.0)
        row = self._first_choice(known)
        # Differences from one of the values keep all digits of a position.
        offset = np.where(weighable, values - values[row][self.group], 0.0)
        mean = values[row] + self._sum(weight * offset) / divisor
        return (
            np.where(meaningful, mean, values[row]),
            np.where(meaningful, 1 / np.sqrt(divisor), errors[row]),
        )

    def angle(self, values: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean of angles, degrees, that may lie on either side of 360."""
        start = values[self.best][self.group]
        unwrapped = start + (values - start + 180.0) % 360.0 - 180.0
        mean, error = self.plain(unwrapped, errors)
        return mean % 360.0, error

    def _sum(self, values: npt.NDArray[np.float64] | npt.NDArray[np.bool_]) -> FloatArray:
        """Sum over every group."""
        weights = values.astype(np.float64)
        return np.bincount(self.group, weights=weights, minlength=self.best.size).astype(np.float64)

    def _first_choice(self, known: npt.NDArray[np.bool_]) -> IntArray:
        """Best row of every group or, where its value is unknown, the first whose value is known."""
        first = self.best.copy()
        rows = np.flatnonzero(known)[::-1]
        first[self.group[rows]] = rows
        return np.where(known[self.best], self.best, first)
