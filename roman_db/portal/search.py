"""What people type into the search box: an object, an event, a spectrum, a position, a region or a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from astropy.coordinates import SkyCoord

#: Arcsec around a position, unless a radius is given; and the largest that is searched.
RADIUS, LARGEST_RADIUS = 5.0, 3600.0

_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_OBJECT = re.compile(r"(?:object\s+)?(\d{1,19})", re.IGNORECASE)
_EVENT = re.compile(r"event\s*#?\s*(\d{1,18})", re.IGNORECASE)
_SPECTRUM = re.compile(r"spectrum\s*#?\s*(\d{1,18})", re.IGNORECASE)
_DEGREES = re.compile(rf"({_NUMBER})[\s,]+({_NUMBER})(?:[\s,]+(?:r\s*=\s*)?({_NUMBER})\s*(?:\"|arcsec)?)?")
_SEXAGESIMAL = re.compile(
    r"(?P<ra>\d{1,2}[\sh:]\s*\d{1,2}[\sm:]\s*\d{1,2}(?:\.\d*)?s?)[\s,]*"
    r"(?P<dec>[-+]\s*\d{1,2}[\sd:°]\s*\d{1,2}[\sm:']\s*\d{1,2}(?:\.\d*)?[s\"]?)"
    rf"(?:\s+r\s*=\s*(?P<radius>{_NUMBER}))?"
)
_REGION = re.compile(r"(circle|polygon|box)\b\s*(?:icrs\b)?(.*)", re.IGNORECASE | re.DOTALL)


class NotUnderstood(ValueError):
    """What was typed is neither of what can be searched for; the message says what it should be."""


@dataclass(frozen=True)
class ObjectNumber:
    """An object by its identifier."""

    object_id: int


@dataclass(frozen=True)
class EventNumber:
    """A candidate of microlensing by its number."""

    event_id: int


@dataclass(frozen=True)
class SpectrumNumber:
    """A spectrum by its number."""

    spectrum_id: int


@dataclass(frozen=True)
class Circle:
    """A circle: centre in deg ICRS, radius in arcsec."""

    ra: float
    dec: float
    radius: float


@dataclass(frozen=True)
class Polygon:
    """A polygon: right ascensions and declinations of its corners in turn, deg ICRS."""

    corners: tuple[float, ...]


@dataclass(frozen=True)
class Name:
    """A source of some catalog by what that calls it."""

    name: str


Wanted = ObjectNumber | EventNumber | SpectrumNumber | Circle | Polygon | Name


def read_search(text: str) -> Wanted:
    """Read what was typed.

    Parameters
    ----------
    text
        ``2028661698980301345``; ``event 12``; ``spectrum 12``; ``268.0 -29.2`` or ``17:52:00 -29:12:00``, a
        radius in arcsec after it (``r=10``); ``CIRCLE 268 -29.2 0.01``, ``BOX 268 -29.2 0.02 0.01`` or
        ``POLYGON`` with three corners or more, in deg ICRS as DALI 1.1 writes them; or the name of a source.

    Raises
    ------
    NotUnderstood
        If it is nothing, or a position or region that cannot be.
    """
    text = " ".join(text.split())
    if not text:
        raise NotUnderstood("Type an identifier, a position, a region or a name.")
    if match := _EVENT.fullmatch(text):
        return EventNumber(int(match[1]))
    if match := _SPECTRUM.fullmatch(text):
        return SpectrumNumber(int(match[1]))
    if (match := _OBJECT.fullmatch(text)) and int(match[1]) < 2**63:
        return ObjectNumber(int(match[1]))
    if match := _DEGREES.fullmatch(text):
        return _circle(float(match[1]), float(match[2]), float(match[3] or RADIUS))
    if match := _SEXAGESIMAL.fullmatch(text):
        return _sexagesimal(match["ra"], match["dec"], float(match["radius"] or RADIUS))
    if match := _REGION.fullmatch(text):
        return _region(match[1].lower(), match[2])
    return Name(text)


def _circle(ra: float, dec: float, radius: float) -> Circle:
    if not (0 <= ra <= 360 and -90 <= dec <= 90 and 0 < radius <= LARGEST_RADIUS):
        raise NotUnderstood(
            "A position has a right ascension from 0 to 360, a declination from -90 to 90 degrees and a "
            f"radius of at most {LARGEST_RADIUS:.0f} arcsec; got {ra:g}, {dec:g} and {radius:g}."
        )
    return Circle(ra % 360, dec, radius)


def _sexagesimal(ra: str, dec: str, radius: float) -> Circle:
    hours, degrees = ("".join(c if c in "0123456789.+-" else " " for c in one) for one in (ra, dec))
    try:
        place = SkyCoord(" ".join(hours.split()), degrees.replace("- ", "-"), unit=("hourangle", "deg"))
    except ValueError as error:
        raise NotUnderstood(f"{ra} {dec} is no position: {error}.") from error
    return _circle(float(place.ra.deg), float(place.dec.deg), radius)


def _region(kind: str, rest: str) -> Circle | Polygon:
    numbers = [float(one) for one in re.findall(_NUMBER, rest)]
    if re.sub(_NUMBER, "", rest).strip(" ,()"):
        raise NotUnderstood(
            f"After {kind.upper()} stand numbers alone, in degrees; got {rest.strip()[:60]!r}."
        )
    if kind == "circle" and len(numbers) == 3:
        return _circle(numbers[0], numbers[1], numbers[2] * 3600)
    if kind == "box" and len(numbers) == 4:
        return _box(*numbers)
    if kind == "polygon" and len(numbers) >= 6 and len(numbers) % 2 == 0:
        for ra, dec in zip(numbers[::2], numbers[1::2], strict=True):
            _circle(ra, dec, RADIUS)
        return Polygon(tuple(numbers))
    forms = {
        "circle": "CIRCLE ra dec radius",
        "box": "BOX ra dec width height",
        "polygon": "POLYGON ra dec ra dec ra dec …",
    }
    raise NotUnderstood(f"It is written {forms[kind]}, in degrees; got {len(numbers)} numbers.")


def _box(ra: float, dec: float, width: float, height: float) -> Polygon:
    """A box between meridians, from corner to corner along great circles."""
    _circle(ra, dec, RADIUS)
    low, high = ra - width / 2, ra + width / 2
    bottom, top = dec - height / 2, dec + height / 2
    if not (0 < width < 90 and height > 0 and bottom >= -90 and top <= 90):
        raise NotUnderstood("A box is less than 90 degrees wide and within the sky.")
    return Polygon((low % 360, bottom, high % 360, bottom, high % 360, top, low % 360, top))
