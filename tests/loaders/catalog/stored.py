"""Catalogs of a few stars, and what the database makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import QTable, Table

from tests.faults.command_line import Outcome, roman_db, succeed
from tests.roman_db.conftest import execute

RA, DEC = 268.0, -29.2
MAS = 1 / 3_600_000
ARCSEC = 1 / 3600


def stars(n: int = 12, ra: float = RA, dec: float = DEC, **changes: object) -> Table:
    """Stars 2 arcsec apart on a line to the east, each twice as bright as the one before."""
    number = np.arange(n)
    columns = {
        "source_id": number + 100,
        "ra": (ra + 2 * number * ARCSEC / np.cos(np.radians(dec))) % 360 * u.deg,
        "dec": np.full(n, dec) * u.deg,
        "ra_error": np.full(n, 2.0) * u.mas,
        "dec_error": np.full(n, 3.0) * u.mas,
        "ref_epoch": np.full(n, 2027.0) * u.yr,
        "flux_F146": 100.0 * 2.0**number * u.nJy,
        "flux_F146_error": np.full(n, 5.0) * u.nJy,
    }
    return Table(QTable({**columns, **changes}))


def write(table: Table, path: Path) -> Path:
    """Write a table as ECSV, in place of what was there."""
    table.write(path, format="ascii.ecsv", overwrite=True)
    return path


def load(table: Table, path: Path, *options: object) -> Outcome:
    """Load a table as a catalog of the name ``survey``, which must succeed."""
    return succeed("load", "catalog", write(table, path), "--name", "survey", *options)


def refused(path: Path, *options: object) -> Outcome:
    """Load a file that must be refused, all or in part."""
    outcome = roman_db("load", "catalog", path, *options)
    assert outcome.code == 1, outcome
    return outcome


def objects(url: str, columns: str = "object_id, ra, dec") -> list[tuple]:
    """Stored objects in the order of the catalog ``survey``."""
    return execute(
        url,
        f"SELECT {columns} FROM roman.object JOIN roman.object_alias USING (object_id) "
        "WHERE catalog_name = 'survey' ORDER BY source_id::bigint",
    )


def count(url: str, table: str) -> int:
    """Number of rows of a table."""
    return int(execute(url, f"SELECT count(*) FROM {table}")[0][0])


def versions(url: str) -> list[tuple]:
    """Catalog versions: what each changed."""
    columns = "n_new, n_changed, n_unchanged, n_merged"
    return execute(url, f"SELECT {columns} FROM roman.catalog_version ORDER BY catalog_version_id")


def rejections(url: str) -> list[tuple]:
    """Code, row, reason of what was refused."""
    return execute(url, "SELECT code, row_number, reason FROM ops.load_rejection ORDER BY load_rejection_id")


def version_ids(url: str) -> list[int]:
    """Identifiers of the catalog versions."""
    return [v for (v,) in execute(url, "SELECT catalog_version_id FROM roman.catalog_version ORDER BY 1")]
