"""A catalog of objects around the corner of tiles, and the command that exports it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from roman_db import session
from roman_db.archive.commands import commands
from roman_db.bulk import copy_rows

from ....queries.conftest import filled_template, own_survey
from ....queries.filling import nested_pixel
from ..conftest import described

__all__ = ["described", "filled_template", "own_survey"]

N_OBJECT, RA, DEC, SIDE = 3000, 268.0, -29.3, 0.4
ELEMENTS = ("F146", "F087")
_ORIGIN = """
WITH run AS (
    INSERT INTO ops.load_run (task, arguments, code_version, schema_version, host, pid)
    VALUES ('test', '{}', '', '', '', 1) RETURNING load_run_id
)
INSERT INTO roman.catalog_version (name, n_new, n_changed, n_unchanged, n_merged, load_run_id)
SELECT 'test', 0, 0, 0, 0, load_run_id FROM run RETURNING load_run_id, catalog_version_id
"""


@dataclass(frozen=True)
class Sky:
    """Objects that were stored, in the order of their identifiers."""

    object_id: np.ndarray
    ra: np.ndarray
    dec: np.ndarray


@pytest.fixture
def sky(database: str) -> Sky:
    """Objects over a few tenths of a degree; every third has moved by up to an arcsecond, one far."""
    rng = np.random.default_rng(11)
    ra = RA + rng.uniform(-SIDE / 2, SIDE / 2, N_OBJECT) / np.cos(np.radians(DEC))
    dec = DEC + rng.uniform(-SIDE / 2, SIDE / 2, N_OBJECT)
    object_id, first = np.unique(nested_pixel(ra, dec), return_index=True)
    ra, dec = ra[first], dec[first]
    dec[::3] += rng.uniform(-1, 1, dec[::3].size) / 3600
    dec[1] += 0.05
    store(object_id, ra, dec)
    return Sky(object_id, ra, dec)


def store(object_id: np.ndarray, ra: np.ndarray, dec: np.ndarray) -> None:
    """Store objects with fluxes in two elements; in the second only every other object has one."""
    with session.transaction() as connection:
        run, version = connection.exec_driver_sql(_ORIGIN).one()
        every = np.ones(object_id.size, np.int64)
        origin = {"catalog_version_id": every * version, "load_run_id": every * run}
        places = {"object_id": object_id, "ra": ra, "dec": dec, "ref_epoch": 2027.0 * every}
        copy_rows(connection, "roman.object", places | origin | {"first_catalog_version_id": every * version})
        for number, element in enumerate(ELEMENTS, 1):
            flux = {"psf_flux": number * 100.0 + np.arange(object_id.size), "psf_flux_err": 1.0 * every}
            columns = {"object_id": object_id, "optical_element": [element] * object_id.size} | flux | origin
            copy_rows(connection, "roman.object_flux", {key: one[::number] for key, one in columns.items()})


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run ``roman-db`` with some words, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)

    @click.group()
    def root() -> None:
        pass

    @root.group()
    def export() -> None:
        pass

    commands(root)

    def invoke(*words: object) -> Result:
        result = CliRunner().invoke(root, list(map(str, words)))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def hats(command: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    """Run ``roman-db export hats`` with some words; it writes below ``tmp_path``."""
    return lambda *words: command("export", "hats", *words, "--to", tmp_path)
