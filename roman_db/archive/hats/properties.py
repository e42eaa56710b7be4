"""What a collection and its catalogs say of themselves: files of keys and values, and the list of tiles.

The keys are those of the IVOA's note on HATS 1.0 (2025-08-22).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from roman_db.archive.hats.tile import FINEST, Tile
from roman_db.code_version import code_version

_STANDARD = {"hats_version": "v1.0", "hats_release_date": "2025-08-22"}
_WHO = {"hats_creator": "Roman Science Support Center", "obs_regime": "Infrared"}
_ALL_SKY = 12


@dataclass(frozen=True)
class Facts:
    """What there is to say of a catalog, or of its margin.

    Parameters
    ----------
    name
        Name of the catalog.
    tiles
        Tiles that have rows.
    n_row, most_rows, n_byte
        Rows of all tiles, of the largest, and bytes of their files.
    """

    name: str
    tiles: tuple[Tile, ...]
    n_row: int
    most_rows: int
    n_byte: int


def catalog_properties(facts: Facts, is_object: bool) -> dict[str, object]:
    """Properties of a catalog."""
    return _common(facts, "object" if is_object else "source")


def margin_properties(facts: Facts, primary: str, width: float) -> dict[str, object]:
    """Properties of the margin of a catalog, of a width in arcsec."""
    return _common(facts, "margin") | {"hats_primary_table_url": primary, "hats_margin_threshold": width}


def collection_properties(name: str, primary: str, margin: str | None) -> dict[str, object]:
    """Properties of a collection: which catalog and which margin are the current ones."""
    known: dict[str, object] = {"obs_collection": name, "hats_primary_table_url": primary} | _made()
    return known if margin is None else known | {"all_margins": margin, "default_margin": margin}


def text_of(properties: Mapping[str, object]) -> bytes:
    """Properties as a file in the form of Java's, as HiPS has them."""
    return "".join(f"{key}={value}\n" for key, value in properties.items()).encode()


def values_of(text: bytes) -> dict[str, str]:
    """Properties of such a file."""
    pairs = (line.split("=", 1) for line in text.decode().splitlines() if "=" in line and line[0] not in "#!")
    return {key.strip(): value.strip() for key, value in pairs}


def partition_info(tiles: Iterable[Tile]) -> bytes:
    """List of tiles as CSV."""
    return "".join(["Norder,Npix\n", *(f"{tile.order},{tile.pixel}\n" for tile in sorted(tiles))]).encode()


def _common(facts: Facts, kind: str) -> dict[str, object]:
    """Properties of any catalog."""
    fraction = sum(1 / (_ALL_SKY * 4**tile.order) for tile in facts.tiles)
    found: dict[str, object] = {
        "obs_collection": facts.name,
        "dataproduct_type": kind,
        "hats_nrows": facts.n_row,
        "hats_col_ra": "ra",
        "hats_col_dec": "dec",
        "hats_col_healpix": "_healpix_29",
        "hats_col_healpix_order": FINEST,
        "hats_npix_suffix": ".parquet",
        "hats_max_rows": facts.most_rows,
        "hats_order": max((tile.order for tile in facts.tiles), default=0),
        "hats_estsize": -(-facts.n_byte // 1024),
        "moc_sky_fraction": f"{fraction:.6g}",
    }
    return found | _made()


def _made() -> dict[str, object]:
    """By what and when something was made, by which standard."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M%Z")
    return {**_STANDARD, **_WHO, "hats_builder": f"roman-db {code_version()}", "hats_creation_date": now}
