"""Catalogs that are exported: of which rows each is made, how large its tiles are, how its rows are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roman_db.archive.hats.nesting import POINT, Blocks, nest
from roman_db.archive.hats.placing import chosen, spatial_index
from roman_db.archive.hats.storage import Reader, Snapshot, Source, bound

IntArray = npt.NDArray[np.int64]

#: Reads the rows of ranges of identifiers, one table after the other; the third argument is their weight.
Rows = Callable[[Reader, IntArray, int], Iterator[pa.Table]]

#: Points of light curves that are in memory at once.
_POINTS_AT_ONCE = 200_000


@dataclass(frozen=True)
class Kind:
    """A kind of catalog.

    Parameters
    ----------
    name
        Name on the command line, and of the collection.
    limit
        Most that a tile should hold, in ``weighed``.
    weighed
        What is counted: rows or points.
    cell_order
        Order of the smallest tiles.
    margin
        Width of the margin if nothing is said, arcsec; 0 for none.
    is_object
        Whether a row is an object on the sky, or something of one.
    """

    name: str
    limit: int
    weighed: str = "rows"
    cell_order: int = 12
    margin: float = 5.0
    is_object: bool = True


@dataclass(frozen=True)
class Catalog:
    """A catalog of one snapshot.

    Parameters
    ----------
    kind
        What it is.
    schema
        Fields with unit, UCD and description as metadata; without ``_healpix_29``.
    sources
        What the content of its tiles depends on.
    rows
        Reads its rows.
    """

    kind: Kind
    schema: pa.Schema
    sources: tuple[Source, ...]
    rows: Rows


#: Each write of an object, or of one of its fluxes, is of a catalog version of its own.
_VERSION = "hashint8extended(object_id, catalog_version_id)"
_FLUX_VERSION = f"hashint8extended({_VERSION}, element)"

#: A point of a light curve takes 4 to 6 bytes in a file and some 40 in the memory of a reader. Tiles of light
#: curves become so small that margins would hold as much as they do; they are made where they are asked for.
KINDS = {
    kind.name: kind
    for kind in (
        Kind("objects", 200_000),
        Kind("light-curves", 15_000_000, "points", cell_order=15, margin=0),
        Kind("variability", 200_000),
        Kind("events", 200_000, is_object=False),
    )
}


def open_catalog(snapshot: Snapshot, name: str, photometry_kind: str) -> Catalog:
    """Catalog of a snapshot, of light curves of a kind of photometry where it is made of any."""
    return _OPENED[name](snapshot, KINDS[name], photometry_kind)


def _objects(snapshot: Snapshot, kind: Kind, photometry_kind: str) -> Catalog:
    """Objects with their fluxes, a column each for every optical element that any object has a flux in."""
    objects = snapshot.query("object")
    elements = snapshot.elements()
    fluxes = snapshot.query("object_flux", elements="{" + ",".join(elements) + "}")
    columns = [
        fluxes.schema.field(name).with_name(f"{name}_{element.lower()}")
        for element in elements
        for name in ("psf_flux", "psf_flux_err")
    ]
    schema = pa.schema([*objects.schema, *columns])

    def rows(reader: Reader, ranges: IntArray, weight: int) -> Iterator[pa.Table]:
        """All rows at once."""
        table = reader.within(objects, ranges)
        if elements:
            table = _with_fluxes(table, reader.within(fluxes, ranges), len(elements))
        yield table.rename_columns(schema.names)

    return Catalog(kind, schema, (Source(objects, "1", _VERSION), Source(fluxes, "0", _FLUX_VERSION)), rows)


def _with_fluxes(objects: pa.Table, fluxes: pa.Table, n_element: int) -> pa.Table:
    """Objects with two columns for each element, empty where an object has no flux in it."""
    object_id = objects["object_id"].to_numpy()
    sorter = np.argsort(object_id)
    element = fluxes["element"].to_numpy()
    for number in range(1, n_element + 1):
        of_element = fluxes.filter(pa.array(element == number))
        wanted = of_element["object_id"].to_numpy()
        place = np.searchsorted(object_id, wanted, sorter=sorter)
        row = sorter[np.minimum(place, object_id.size - 1)] if object_id.size else place
        # Fluxes of objects that were dropped have no row.
        is_known = object_id[row] == wanted if object_id.size else np.zeros(wanted.size, bool)
        source = np.full(object_id.size, -1, np.int64)
        source[row[is_known]] = np.flatnonzero(is_known)
        index = pa.array(source, mask=source < 0)
        for name in ("psf_flux", "psf_flux_err"):
            objects = objects.append_column(f"{name}_{number}", of_element[name].take(index))
    return objects


def _light_curves(snapshot: Snapshot, kind: Kind, photometry_kind: str) -> Catalog:
    """Objects with their light curves, a nested table each."""
    objects = snapshot.query("light_curve_object")
    segments = snapshot.query("light_curve_segment", kind=photometry_kind)
    versions = snapshot.query("light_curve_version", kind=photometry_kind)
    blocks = snapshot.query("block", blocks="{}").schema
    points = snapshot.fields("roman.light_curve")
    lists = [
        pa.field(name, pa.list_(type_), metadata=points.field(name).metadata) for name, type_ in POINT.items()
    ]
    schema = pa.schema([*objects.schema, pa.field("light_curve", pa.struct(lists))])

    def rows(reader: Reader, ranges: IntArray, weight: int) -> Iterator[pa.Table]:
        """Some objects after the other, in the order of their places."""
        found = reader.within(objects, ranges)
        found = found.take(pa.array(np.argsort(spatial_index(found), kind="stable")))
        ranks = np.argsort(np.argsort(found["object_id"].to_numpy()))
        step = max(1, len(found) * _POINTS_AT_ONCE // max(weight, 1))
        for first in range(0, len(found), step):
            part = found.slice(first, step).combine_chunks()
            wanted = runs(part["object_id"].to_numpy(), ranks[first : first + step], ranges)
            yield from _curves(reader, part, reader.within(segments, wanted), blocks)

    return Catalog(kind, schema, (Source(objects), Source(versions, "n_epoch")), rows)


def runs(object_id: IntArray, rank: IntArray, ranges: IntArray) -> IntArray:
    """Ranges of identifiers that hold objects and no others.

    Parameters
    ----------
    object_id, rank
        Some of the objects that there are in ``ranges``, and their ranks among all of these.
    """
    order = np.argsort(rank)
    object_id, rank = object_id[order], rank[order]
    within = np.searchsorted(np.sort(ranges[:, 0]), object_id, side="right")
    begins = np.r_[True, (np.diff(rank) > 1) | (np.diff(within) > 0)]
    ends = np.r_[begins[1:], True]
    return np.stack([object_id[begins], object_id[ends] + 1], axis=1)


def _curves(reader: Reader, objects: pa.Table, segments: pa.Table, blocks: pa.Schema) -> Iterator[pa.Table]:
    """Rows of those of the objects that have light curves."""
    known = np.isin(segments["object_id"].to_numpy(), objects["object_id"].to_numpy())
    segments = segments.filter(pa.array(known))
    if len(segments) == 0:
        return
    numbers = ",".join(map(str, np.unique(segments["block_id"].to_numpy())))
    found = Blocks.of(reader.read(bound("block", blocks=f"{{{numbers}}}"), blocks))
    curves, n_segment = nest(objects["object_id"].to_numpy(), segments, found)
    yield chosen(objects.append_column("light_curve", curves), n_segment > 0)


def _products(table: str, file: str) -> Callable[[Snapshot, Kind, str], Catalog]:
    """Catalog with the rows of a product of the archive, of all seasons together."""

    def opened(snapshot: Snapshot, kind: Kind, photometry_kind: str) -> Catalog:
        """Catalog of a snapshot."""
        query = snapshot.product(table, file, photometry_kind)

        def rows(reader: Reader, ranges: IntArray, weight: int) -> Iterator[pa.Table]:
            """All rows at once."""
            yield reader.within(query, ranges)

        return Catalog(kind, query.schema, (Source(query, "1"),), rows)

    return opened


_OPENED: dict[str, Callable[[Snapshot, Kind, str], Catalog]] = {
    "objects": _objects,
    "light-curves": _light_curves,
    "variability": _products("variability", "variability_catalog"),
    "events": _products("event", "event_catalog"),
}
