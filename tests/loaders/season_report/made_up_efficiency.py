"""Cells of efficiency, made up: completeness falls to long times and faint stars, so does reliability."""

from itertools import pairwise, product

from loaders.event_efficiency.draw import Q_EDGES, S_EDGES, TIME_EDGES, U_0_EDGES
from loaders.season_report.facts import DetectionFacts

N, MAGNITUDES = 40, (16.0, 18.0, 20.0, 22.0)


def detection() -> DetectionFacts:
    shares = (0.9, 0.87, 0.93, 225, 0.989, 0.97, 0.995, 30)
    return DetectionFacts("first", "lightcurve", 90, 1, 99, 10, *shares)


def _share(name, found, tried):
    if not tried:
        return {name: None, f"{name}_lower": None, f"{name}_upper": None}
    share = found / tried
    return {name: share, f"{name}_lower": max(share - 0.06, 0), f"{name}_upper": min(share + 0.05, 1)}


def _cells(x, x_edges, y, y_edges):
    out = []
    for (i, across), (j, up) in product(enumerate(pairwise(x_edges)), enumerate(pairwise(y_edges))):
        found = max(N - 5 * i - 4 * j, 1)
        edges = {f"{x}_lower": across[0], f"{x}_upper": across[1], f"{y}_lower": up[0], f"{y}_upper": up[1]}
        out.append(edges | {"n_injected": N, "n_recovered": found} | _share("completeness", found, N))
    return out


def _detected(place, j):
    found, false = 38 - 8 * j, 3 * j if j < 3 else 0
    found = found if j < 3 else 0
    shares = _share("completeness", found, N) | _share("reliability", found, found + false)
    return place | {"n_injected": N, "n_found": found + false} | shares


def efficiency():
    """Cells of all pictures; in the faintest nothing is found."""
    fields = [
        _detected({"field_name": name, "magnitude_lower": low, "magnitude_upper": high}, j)
        for name in ("GBTDS-1", "GBTDS-2", "GBTDS-6")
        for j, (low, high) in enumerate(pairwise((*MAGNITUDES, 24.0)))
    ]
    # Pixels about (268, -29.3).
    sky = [_detected({"healpix_order": 9, "healpix_index": 1844537 + k}, k % 4) for k in range(12)]
    return {
        "magnitude": _cells("einstein_time", TIME_EDGES, "magnitude", MAGNITUDES),
        "u_0": _cells("einstein_time", TIME_EDGES, "u_0", U_0_EDGES),
        "planets": _cells("s", S_EDGES, "q", Q_EDGES),
        "fields": fields,
        "reliability": fields,
        "sky": sky,
    }
