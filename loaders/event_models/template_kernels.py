"""Kernels of the search by templates (`templates`): paths across maps of magnification, and their peaks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
MapArray = npt.NDArray[np.float32]


@compiled()
def magnified(grid: MapArray, edge: tuple[float, float], x: float, y: float) -> float:
    """Magnification at a place on a map, between its pixels; that of one lens of all mass beyond it.

    Parameters
    ----------
    grid
        Shape (nx, ny): magnification, x from the left edge on, y from zero: lenses have a symmetry.
    edge
        Left edge and the distance of pixels, Einstein radii.
    x, y
        The place, Einstein radii from the centre of mass.
    """
    at, up = (x - edge[0]) / edge[1], abs(y) / edge[1]
    i, j = int(np.floor(at)), int(up)
    if i < 0 or j < 0 or i >= grid.shape[0] - 1 or j >= grid.shape[1] - 1:
        square = max(x * x + y * y, 1e-6)
        return float((square + 2.0) / np.sqrt(square * (square + 4.0)))
    a, b = at - i, up - j
    low = grid[i, j] * (1.0 - a) + grid[i + 1, j] * a
    high = grid[i, j + 1] * (1.0 - a) + grid[i + 1, j + 1] * a
    return float(low * (1.0 - b) + high * b)


@compiled()
def peaks_of(value: FloatArray, least: FloatArray, found: npt.NDArray[np.int64]) -> int:
    """Peaks of a curve, between which it falls by more than what is asked for; how many, the highest ones.

    Parameters
    ----------
    value
        Shape (n,): the curve.
    least
        Shape (n,): by how much it has to fall from each point, if that is a peak, on both sides.
    found
        Written: where peaks are, in order of time; of more than there is room for the highest.
    """
    n = 0
    top, bottom, rising = 0, 0, True
    for k in range(1, value.size):
        if rising:
            if value[k] > value[top]:
                top = k
            if value[top] - value[k] > least[top]:
                if value[top] - value[bottom] > least[top]:
                    n = _kept(value, found, n, top)
                rising, bottom = False, k
        else:
            if value[k] < value[bottom]:
                bottom = k
            if value[k] - value[bottom] > least[k]:
                rising, top = True, k
    return n


@compiled()
def _kept(value: FloatArray, found: npt.NDArray[np.int64], n: int, new: int) -> int:
    """Add a peak; where there is no room, leave out the lowest."""
    if n < found.size:
        found[n] = new
        return n + 1
    low = 0
    for k in range(1, n):
        if value[found[k]] < value[found[low]]:
            low = k
    if value[new] > value[found[low]]:
        for k in range(low, n - 1):
            found[k] = found[k + 1]
        found[n - 1] = new
    return n


@compiled()
def span_of(time: FloatArray, light: FloatArray, share: float) -> tuple[float, float]:
    """Times between which light comes but for a share of it before and as much after.

    It depends neither on how much light is constant nor, much, on how high narrow peaks are.

    Parameters
    ----------
    time, light
        Shape (n,): ascending; not negative. Between two times light comes evenly.
    share
        Below one half.
    """
    whole = 0.0
    for k in range(1, time.size):
        whole += 0.5 * (light[k] + light[k - 1]) * (time[k] - time[k - 1])
    begin, end, come = time[0], time[-1], 0.0
    for k in range(1, time.size):
        step = 0.5 * (light[k] + light[k - 1]) * (time[k] - time[k - 1])
        for level in (share * whole, (1.0 - share) * whole):
            if come < level <= come + step:
                at = time[k - 1] + (time[k] - time[k - 1]) * (level - come) / step
                if level < 0.5 * whole:
                    begin = at
                else:
                    end = at
        come += step
    return begin, end


@compiled()
def loss_of(curve: FloatArray, points: tuple[FloatArray, FloatArray, FloatArray]) -> float:
    """What a curve leaves of points with its best fluxes: each point counts by the logarithm.

    Parameters
    ----------
    curve
        Shape (n,): magnification.
    points
        As of `matched`; of the time nothing is needed.

    Returns
    -------
    float
        Σ ln(1 + (r / 3)²), r being in errors; infinite where the source would be dark.
    """
    _, flux, weight = points
    w = wa = wf = waa = waf = 0.0
    for k in range(flux.size):
        a, f, g = curve[k], flux[k], weight[k]
        w, wa, wf = w + g, wa + g * a, wf + g * f
        waa, waf = waa + g * a * a, waf + g * a * f
    spread = w * waa - wa * wa
    if spread <= 1e-12 * w * waa:
        return np.inf
    source = (w * waf - wa * wf) / spread
    if source <= 0.0:
        return np.inf
    blend, total = (wf - source * wa) / w, 0.0
    for k in range(flux.size):
        off = flux[k] - blend - source * curve[k]
        total += np.log1p(weight[k] * off * off / 9.0)
    return total


@compiled()
def matched(
    grid: MapArray,
    edge: tuple[float, float],
    paths: tuple[FloatArray, FloatArray],
    points: tuple[FloatArray, FloatArray, FloatArray],
    anchors: tuple[FloatArray, tuple[float, float], float, FloatArray],
    limits: tuple[float, float],
    best: FloatArray,
) -> None:
    """The best way of each path across a map, its peaks or its span put where those of a light curve are.

    Parameters
    ----------
    grid, edge
        The map, as `magnified` takes it.
    paths
        alpha (radians), shape (n_alpha,), and u_0, shape (n_u,).
    points
        Time (days), flux and its inverse variance, shape (n,) each.
    anchors
        Times (days, ascending) of the peaks of the light curve, shape (n_peak,); its span (`span_of`) and the
        share that this is of; and Einstein times (days) that are tried with one peak on another.
    limits
        Least and greatest Einstein time, days.
    best
        Written, shape (n_alpha, n_u, 3): t_0, t_E, and the loss, infinite where nothing fits.
    """
    alpha, u_0 = paths
    peaks, span, share, scales = anchors
    tau = np.linspace(-2.5, 2.5, 251)
    value, least, curve = np.empty(tau.size), np.empty(tau.size), np.empty(points[0].size)
    found = np.empty(4, dtype=np.int64)
    clocks = np.empty((found.size * peaks.size * (scales.size + found.size * peaks.size), 2))
    for a in range(alpha.size):
        cosine, sine = np.cos(alpha[a]), np.sin(alpha[a])
        for b in range(u_0.size):
            best[a, b, 2] = np.inf
            for k in range(tau.size):
                x, y = -tau[k] * cosine + u_0[b] * sine, -tau[k] * sine - u_0[b] * cosine
                value[k] = magnified(grid, edge, x, y)
                least[k] = 0.1 * value[k]
            n = peaks_of(value, least, found)
            way = (cosine, sine, u_0[b])
            first, last = span_of(tau, np.maximum(value - 1.0, 0.0), share)
            t_e = (span[1] - span[0]) / (last - first)
            if limits[0] < t_e < limits[1]:
                _try(grid, edge, way, (span[0] - first * t_e, t_e), points, curve, best[a, b])
            number = clocks_of(tau[found[:n]], (peaks, scales), limits, clocks)
            for k in range(number):
                _try(grid, edge, way, (clocks[k, 0], clocks[k, 1]), points, curve, best[a, b])


@compiled()
def clocks_of(
    tau: FloatArray,
    anchors: tuple[FloatArray, FloatArray],
    limits: tuple[float, float],
    clocks: FloatArray,
) -> int:
    """Times and paces at which peaks of a path are where those of a light curve are.

    Parameters
    ----------
    tau
        Shape (n,): where the peaks of the path are, Einstein times, ascending.
    anchors
        Times of the peaks of the light curve, days, ascending; and the Einstein times of `matched`.
    limits
        Least and greatest Einstein time of pairs of peaks, days.
    clocks
        Written, shape (most, 2): t_0 and t_E.

    Returns
    -------
    int
        How many there are.
    """
    peaks, scales = anchors
    n = 0
    for p in range(peaks.size):
        for i in range(tau.size):
            for t_e in scales:
                clocks[n, 0], clocks[n, 1] = peaks[p] - tau[i] * t_e, t_e
                n += 1
            for r in range((p + 1) * tau.size, peaks.size * tau.size):
                # Another peak of the light curve, and another one of the path.
                later, j = peaks[r // tau.size], r % tau.size
                t_e = (later - peaks[p]) / (tau[j] - tau[i]) if j > i else 0.0
                if limits[0] < t_e < limits[1]:
                    clocks[n, 0], clocks[n, 1] = peaks[p] - tau[i] * t_e, t_e
                    n += 1
    return n


@compiled()
def _try(
    grid: MapArray,
    edge: tuple[float, float],
    way: tuple[float, float, float],
    clock: tuple[float, float],
    points: tuple[FloatArray, FloatArray, FloatArray],
    curve: FloatArray,
    best: FloatArray,
) -> None:
    """Hold a path at a time against the points; write it if it is better than the best."""
    time = points[0]
    cosine, sine, u_0 = way
    for k in range(time.size):
        tau = (time[k] - clock[0]) / clock[1]
        curve[k] = magnified(grid, edge, -tau * cosine + u_0 * sine, -tau * sine - u_0 * cosine)
    loss = loss_of(curve, points)
    if loss < best[2]:
        best[0], best[1], best[2] = clock[0], clock[1], loss
