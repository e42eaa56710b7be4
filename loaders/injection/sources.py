"""Artificial sources: what they are, and which of them cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

SERSIC_RANGE, RADIUS_RANGE, AXIS_RATIO_RANGE = (0.3, 8.0), (1e-3, 5.0), (0.05, 1.0)
"""Sersic indices, half-light radii (arcsec) and axis ratios that can be drawn."""


@dataclass(frozen=True)
class ArtificialSources:
    """Stars and galaxies by their place on the sky, one a row; arrays of shape (n,).

    Parameters
    ----------
    source_id
        Number of the source in its run.
    ra, dec
        Place at which it is seen, deg ICRS.
    flux
        Total flux density, nJy.
    sersic_n
        Sersic index; NaN for stars, as are the three below.
    half_light_radius
        Arcsec, circularised: the geometric mean of the axes of the ellipse that holds half of the light.
    axis_ratio
        Minor over major axis.
    position_angle
        Of the major axis on the sky, deg, north through east.
    """

    source_id: IntArray
    ra: FloatArray
    dec: FloatArray
    flux: FloatArray
    sersic_n: FloatArray
    half_light_radius: FloatArray
    axis_ratio: FloatArray
    position_angle: FloatArray

    def __post_init__(self) -> None:
        shapes = {name: values.shape for name, values in self.columns().items()}
        if len(set(shapes.values())) != 1 or self.ra.ndim != 1:
            raise ValueError(f"the columns of artificial sources must have one shape (n,), got {shapes}")

    @classmethod
    def stars(cls, ra: FloatArray, dec: FloatArray, flux: FloatArray) -> ArtificialSources:
        """Stars, numbered from 0."""
        unknown = [np.full(ra.shape, np.nan) for _ in range(4)]
        return cls(np.arange(ra.size), ra, dec, flux, *unknown)

    def __len__(self) -> int:
        return int(self.ra.size)

    @property
    def is_galaxy(self) -> BoolArray:
        """Sources that have a profile, shape (n,)."""
        return np.asarray(np.isfinite(self.sersic_n))

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """Columns by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def take(self, rows: BoolArray | IntArray) -> ArtificialSources:
        """Some of the sources."""
        return ArtificialSources(**{name: values[rows] for name, values in self.columns().items()})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Refusal:
    """A source that is refused: its row from 0, a short name of the reason, and what is wrong with it."""

    row: int
    code: str
    reason: str

    def row_of(self, source: str) -> dict[str, str | int]:
        """What is recorded of it; ``source`` says whence the sources are."""
        words = {"code": self.code, "reason": self.reason, "remedy": REMEDIES[self.code]}
        return {"source": source, "row_number": self.row, **words}


REMEDIES: Mapping[str, str] = {
    "bad_position": "Give right ascensions in [0, 360) and declinations in [-90, 90], deg",
    "bad_flux": "Give flux densities that are finite and at least 0",
    "bad_profile": f"Give sersic_n in {SERSIC_RANGE}, half_light_radius in {RADIUS_RANGE} arcsec, "
    f"axis_ratio in {AXIS_RATIO_RANGE} and a finite position_angle; leave all four empty for a star",
    "repeated_source_id": "Number the sources without repetition, or leave source_id out",
    "off_image": "Give positions that lie on one of the images",
    "no_image": "See why the images were refused",
}
"""What can be done about each reason."""


def check_sources(sources: ArtificialSources) -> tuple[BoolArray, list[Refusal]]:
    """Find the sources that cannot be drawn.

    Returns
    -------
    good : ndarray
        Shape (n,): sources that can be.
    refused : list
        The others, each with its first reason.
    """
    bad = {
        "bad_position": ~_placed(sources.ra, sources.dec),
        "bad_flux": ~(np.isfinite(sources.flux) & (sources.flux >= 0)),
        "bad_profile": ~_drawable(sources),
        "repeated_source_id": _repeated(sources.source_id),
    }
    good = np.ones(len(sources), dtype=bool)
    refused = []
    for code, rows in bad.items():
        refused += [
            Refusal(int(row), code, _reason(code, sources, int(row))) for row in np.flatnonzero(rows & good)
        ]
        good &= ~rows
    return good, sorted(refused, key=lambda one: one.row)


def off_image(sources: ArtificialSources, inside: Sequence[BoolArray]) -> tuple[BoolArray, list[Refusal]]:
    """Find the sources that lie on none of some images.

    Parameters
    ----------
    sources
        The sources.
    inside
        Of each image: the sources on its pixels, shape (n,).
    """
    good = np.logical_or.reduce([np.zeros(len(sources), dtype=bool), *inside])
    rows = np.flatnonzero(~good)
    return good, [Refusal(int(row), "off_image", _reason("off_image", sources, int(row))) for row in rows]


def _placed(ra: FloatArray, dec: FloatArray) -> BoolArray:
    return np.asarray((ra >= 0) & (ra < 360) & (np.abs(dec) <= 90))


def _drawable(sources: ArtificialSources) -> BoolArray:
    """Stars without a profile, and galaxies with a whole one."""
    profile = np.stack(
        [sources.sersic_n, sources.half_light_radius, sources.axis_ratio, sources.position_angle]
    )
    limits = (SERSIC_RANGE, RADIUS_RANGE, AXIS_RATIO_RANGE, (-np.inf, np.inf))
    within = [
        np.isfinite(values) & (values >= low) & (values <= high)
        for values, (low, high) in zip(profile, limits, strict=True)
    ]
    return np.asarray(np.isnan(profile).all(axis=0) | np.logical_and.reduce(within))


def _repeated(numbers: IntArray) -> BoolArray:
    """Rows whose number an earlier row has."""
    repeated = np.ones(numbers.size, dtype=bool)
    repeated[np.unique(numbers, return_index=True)[1]] = False
    return repeated


def _reason(code: str, sources: ArtificialSources, row: int) -> str:
    place = f"ra {sources.ra[row]:.7g}, dec {sources.dec[row]:.7g}"
    said = {
        "bad_position": f"no place on the sky: {place}",
        "bad_flux": f"flux {sources.flux[row]:g} nJy",
        "bad_profile": f"no Sersic profile: sersic_n {sources.sersic_n[row]:g}, half_light_radius "
        f"{sources.half_light_radius[row]:g}, axis_ratio {sources.axis_ratio[row]:g}, "
        f"position_angle {sources.position_angle[row]:g}",
        "repeated_source_id": f"source_id {sources.source_id[row]} is that of an earlier row",
        "off_image": f"on none of the images: {place}",
    }
    return said[code]
