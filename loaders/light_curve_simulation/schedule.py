"""When the survey looks: seasons, cadence, gaps, and lost visits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.lens.parallax import observer_position

FloatArray = npt.NDArray[np.float64]

SEASONS = (
    (61448.0, 61520.0),
    (61636.0, 61708.0),
    (61813.0, 61885.0),
    (62544.0, 62616.0),
    (62732.0, 62804.0),
    (62909.0, 62981.0),
)
"""The six seasons of 72 days of the bulge survey, MJD: the first three and the last three of the ten times
that the bulge is in sight, in spring and autumn (ROTAC 2025; as in `roman.season`)."""

MJD_ZERO = 2_400_000.5
_MINUTES_PER_DAY = 1440.0
_LIGHT_AU_PER_DAY = 173.144_632_674
"""Speed of light, au a day."""


@dataclass(frozen=True)
class Cadence:
    """How often the survey looks, and what keeps it from it.

    Parameters
    ----------
    seasons
        First and last moment of each, MJD (TDB).
    interval
        Minutes from one F146 exposure to the next.
    colour_interval
        Hours from one exposure in F087, and in F213, to the next.
    dump_interval, dump_duration
        Days between unloadings of momentum, minutes that one takes. The real ones are not
        planned yet; these are a guess.
    lost
        Share of the visits of half a day that are lost.
    """

    seasons: tuple[tuple[float, float], ...] = SEASONS
    interval: float = 12.1
    colour_interval: float = 6.0
    dump_interval: float = 3.0
    dump_duration: float = 40.0
    lost: float = 0.01

    def __post_init__(self) -> None:
        if not self.seasons or any(not first < last for first, last in self.seasons):
            raise ValueError(f"need seasons that end after they begin, got {self.seasons}")
        if min(self.interval, self.colour_interval, self.dump_interval) <= 0 or not 0 <= self.lost < 1:
            raise ValueError("intervals must be above zero, and lost at least 0 and below 1")


def exposure_times(cadence: Cadence, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Midpoints of the exposures of one field.

    The exposures in F087 and F213 take places of the grid between those in F146, a third and two thirds of an
    interval later.

    Parameters
    ----------
    cadence
        How often.
    rng
        Says which visits are lost.

    Returns
    -------
    dict
        By optical element, MJD (TDB) at the observatory, ascending.
    """
    parts: dict[str, list[FloatArray]] = {"F087": [], "F146": [], "F213": []}
    step = cadence.interval / _MINUTES_PER_DAY
    slow = max(1, round(cadence.colour_interval * 60.0 / cadence.interval))
    for first, last in cadence.seasons:
        grid = np.arange(int((last - first) / step), dtype=np.float64) * step + first
        kept = _kept(grid - first, cadence, rng)
        parts["F146"].append(grid[kept])
        for element, share, phase in (("F087", 1 / 3, 0), ("F213", 2 / 3, slow // 2)):
            turn = np.arange(grid.size) % slow == phase
            parts[element].append(grid[kept & turn] + share * step)
    return {element: np.concatenate(times) for element, times in parts.items()}


def barycentric(mjd_tdb: FloatArray, ra: float, dec: float) -> FloatArray:
    """BJD (TDB) of times MJD (TDB) at L2, shape (n,), for a source at ra, dec (degrees ICRS).

    The light travel time of a plane wave (Eastman, Siverd & Gaudi 2010, PASP 122, 935).
    """
    alpha, delta = np.radians(ra), np.radians(dec)
    direction = np.array([np.cos(delta) * np.cos(alpha), np.cos(delta) * np.sin(alpha), np.sin(delta)])
    delay = observer_position(MJD_ZERO + mjd_tdb) @ direction / _LIGHT_AU_PER_DAY
    return np.asarray(MJD_ZERO + mjd_tdb + delay)


def _kept(day: FloatArray, cadence: Cadence, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Places of the grid of a season that are used, by the days since it began."""
    dumping = day % cadence.dump_interval > cadence.dump_interval - cadence.dump_duration / _MINUTES_PER_DAY
    visit = np.floor(day * 2).astype(np.int64)
    lost = rng.uniform(size=int(visit[-1]) + 1 if visit.size else 0) < cadence.lost
    return np.asarray(~dumping & ~lost[visit])
