"""Objects that a search finds, with what is said of each."""

from __future__ import annotations

from typing import Any

from roman_db.portal.reading import array, rows
from roman_db.portal.search import Circle, Name, Polygon

#: Objects that a page lists.
MOST = 200


def found_objects(wanted: Circle | Polygon | Name) -> list[dict[str, Any]]:
    """Objects of a place, a region or a name, at most `MOST` and one, with brightness, kind and events."""
    found = _places(wanted)
    listed = array(row["object_id"] for row in found)
    known = {row["object_id"]: row for row in rows("brightness_of_objects", objects=listed)}
    return [one | known[one["object_id"]] for one in found]


def _places(wanted: Circle | Polygon | Name) -> list[dict[str, Any]]:
    if isinstance(wanted, Circle):
        centre = {"ra": wanted.ra, "dec": wanted.dec, "radius": wanted.radius}
        return rows("objects_in_cone", **centre, most=MOST + 1)
    if isinstance(wanted, Polygon):
        return rows("objects_in_polygon", corners=array(wanted.corners), most=MOST + 1)
    return rows("objects_named", name=wanted.name, most=MOST + 1)
