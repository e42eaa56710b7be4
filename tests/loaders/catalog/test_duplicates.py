"""Groups against brute force; merged numbers against the textbook."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.catalog.duplicates import DuplicateRule, find_duplicates, merge_duplicates
from loaders.catalog.sources import Sources

MAS = 1 / 3_600_000


def catalog(ra, dec, **columns) -> Sources:
    n = len(ra)
    unknown = np.full(n, np.nan)
    names = ("ra_err", "dec_err", "pm_ra", "pm_dec", "pm_ra_err", "pm_dec_err", "parallax", "parallax_err")
    flux = {key: np.asarray(value, dtype=float) for key, value in columns.pop("flux", {}).items()}
    errors = {key: np.asarray(value, dtype=float) for key, value in columns.pop("flux_err", {}).items()}
    return Sources(
        row=np.arange(n),
        source_id=np.array([str(k) for k in range(n)], dtype=object),
        ra=np.asarray(ra, dtype=float),
        dec=np.asarray(dec, dtype=float),
        ref_epoch=np.full(n, 2016.0),
        **{name: np.asarray(columns.get(name, unknown), dtype=float) for name in names},
        flux=flux,
        flux_err={key: errors.get(key, unknown) for key in flux},
    )


def haversine(ra, dec):
    """Distances of all pairs, degrees, by the half-angle formula."""
    a, d = np.radians(ra), np.radians(dec)
    inner = (
        np.sin((d[:, None] - d) / 2) ** 2 + np.cos(d[:, None]) * np.cos(d) * np.sin((a[:, None] - a) / 2) ** 2
    )
    return np.degrees(2 * np.arcsin(np.sqrt(np.minimum(inner, 1))))


def brute_force(sources: Sources, rule: DuplicateRule) -> list[set[int]]:
    """Groups by growing them row after row."""
    n = len(sources)
    near = haversine(sources.ra, sources.dec) <= rule.radius / 3600
    for key, flux in sources.flux.items():
        for i in range(n):
            for j in range(n):
                noise = np.sqrt(np.nansum([sources.flux_err[key][i] ** 2, sources.flux_err[key][j] ** 2]))
                allowed = max(rule.sigmas * noise, rule.fraction * (abs(flux[i]) + abs(flux[j])) / 2)
                if abs(flux[i] - flux[j]) > allowed:
                    near[i, j] = False
    groups: list[set[int]] = []
    for row in range(n):
        touched = [group for group in groups if any(near[row, member] for member in group)]
        groups = [group for group in groups if group not in touched]
        groups.append({row}.union(*touched))
    return groups


offsets = st.tuples(
    st.integers(-60, 60), st.integers(-60, 60), st.sampled_from([100.0, 101.0, 200.0, np.nan])
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(offsets, min_size=1, max_size=25),
    st.sampled_from([(0.0, 0.0), (359.99999, 60.0), (120.0, 89.99999), (10.0, -90.0), (268.0, -29.0)]),
)
def test_groups_of_brute_force(rows, center):
    x, y, flux = np.array(rows, dtype=float).T
    dec = np.clip(center[1] + y * MAS, -90, 90)
    ra = (center[0] + x * MAS / np.maximum(np.cos(np.radians(center[1])), 1e-4)) % 360
    sources = catalog(ra, dec, flux={"F146": flux})
    # A radius that no grid distance equals to rounding.
    rule = DuplicateRule(radius=0.0201, fraction=0.02)
    group = find_duplicates(sources, rule)
    found = {frozenset(np.flatnonzero(group == k).tolist()) for k in range(group.max() + 1)}
    assert found == {frozenset(members) for members in brute_force(sources, rule)}


@given(st.lists(offsets, min_size=1, max_size=25))
def test_groups_are_numbered_by_first_rows(rows):
    x, y, _ = np.array(rows, dtype=float).T
    group = find_duplicates(catalog(x * MAS % 360, y * MAS))
    first = np.unique(group, return_index=True)[1]
    assert (np.diff(first) > 0).all()
    assert group[0] == 0


def test_chains_are_one_group():
    dec = np.arange(6) * 25 * MAS
    assert find_duplicates(catalog(np.zeros(6), dec)).tolist() == [0] * 6
    assert find_duplicates(catalog(np.zeros(6), dec), DuplicateRule(radius=0.02)).tolist() == list(range(6))


def test_fluxes_tell_neighbours_apart():
    same = {"F146": [100.0, 100.5, 150.0], "F087": [50.0, np.nan, 50.0]}
    assert find_duplicates(catalog([0, 0, 0], [0, 0, 0], flux=same)).tolist() == [0, 0, 1]
    noisy = {"F146": [30.0, 30.0, 30.0]}
    assert find_duplicates(catalog([0] * 3, [0] * 3, flux=same, flux_err=noisy)).tolist() == [0, 0, 0]


def test_weighted_means():
    sources = catalog(
        [10.0, 10.0 + 9 * MAS, 50.0],
        [20.0, 20.0 + 6 * MAS, 0.0],
        ra_err=[1.0, 2.0, 1.0],
        dec_err=[1.0, 1.0, 1.0],
        pm_ra=[5.0, np.nan, 1.0],
        pm_ra_err=[0.5, np.nan, np.nan],
        flux={"F146": [100.0, 110.0, 7.0]},
        flux_err={"F146": [10.0, 10.0, np.nan]},
    )
    group = find_duplicates(sources)
    merged = merge_duplicates(sources, group)
    assert group.tolist() == [0, 0, 1]
    # Weights 1 and 1/4: a fifth of the way; equal weights: half way.
    assert merged.ra[0] == pytest.approx(10.0 + 9 / 5 * MAS, abs=1e-13)
    assert merged.ra_err[0] == pytest.approx(np.sqrt(1 / 1.25))
    assert merged.dec[0] == pytest.approx(20.0 + 3 * MAS, abs=1e-13)
    assert merged.dec_err[0] == pytest.approx(np.sqrt(0.5))
    assert (merged.pm_ra[0], merged.pm_ra_err[0]) == (5.0, 0.5)
    assert merged.flux["F146"].tolist() == [105.0, 7.0]
    assert merged.flux_err["F146"][0] == pytest.approx(10 / np.sqrt(2))
    assert np.isnan(merged.flux_err["F146"][1])
    assert merged.source_id.tolist() == ["0", "2"]


def test_means_across_the_meridian():
    sources = catalog([359.999999, 1e-6, 0.0], [0.0, 0.0, 0.0], ra_err=[1.0] * 3, dec_err=[1.0] * 3)
    merged = merge_duplicates(sources, find_duplicates(sources))
    assert len(merged) == 1
    assert min(merged.ra[0], 360 - merged.ra[0]) < 1e-12


def test_without_errors_the_best_row_counts():
    sources = catalog(
        [10.0, 10.0 + 9 * MAS, 10.0 + 3 * MAS],
        [0.0, 0.0, 0.0],
        ra_err=[5.0, 1.0, np.nan],
        dec_err=[5.0, 1.0, np.nan],
        pm_dec=[1.0, np.nan, 3.0],
        parallax=[np.nan, np.nan, 7.0],
    )
    merged = merge_duplicates(sources, find_duplicates(sources))
    assert merged.row.tolist() == [1]
    assert merged.ra[0] == pytest.approx(10.0 + 9 * MAS, abs=1e-13)
    assert merged.ra_err[0] == 1.0
    assert merged.pm_dec[0] == 1.0
    assert merged.parallax[0] == 7.0


def test_most_numbers_then_first_row():
    sources = catalog([1.0, 1.0, 1.0], [0.0] * 3, parallax=[np.nan, 5.0, 6.0])
    assert merge_duplicates(sources, np.zeros(3, dtype=np.int64)).row.tolist() == [1]


@given(st.permutations(range(4)))
def test_order_of_rows_does_not_change_the_mean(order):
    ra = np.array([10.0, 10.0 + 4 * MAS, 10.0 + 9 * MAS, 10.0 - 5 * MAS])[order]
    error = np.array([1.0, 2.0, 3.0, 4.0])[order]
    merged = merge_duplicates(
        catalog(ra, np.zeros(4), ra_err=error, dec_err=error), np.zeros(4, dtype=np.int64)
    )
    weight = 1 / np.array([1.0, 4.0, 9.0, 16.0])
    assert merged.ra[0] == pytest.approx(10.0 + (weight @ [0, 4, 9, -5]) / weight.sum() * MAS, abs=1e-13)


def test_nothing_to_merge():
    sources = catalog([1.0, 2.0], [0.0, 0.0])
    group = find_duplicates(sources)
    assert group.tolist() == [0, 1]
    assert merge_duplicates(sources, group).row.tolist() == [0, 1]
    assert find_duplicates(sources.take(np.array([], dtype=np.int64))).size == 0


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="radius"):
        DuplicateRule(radius=0)
    with pytest.raises(ValueError, match=r"\(2,\)"):
        merge_duplicates(catalog([1.0, 2.0], [0.0, 0.0]), np.zeros(3, dtype=np.int64))
