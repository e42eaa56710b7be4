"""Catalogs of mosaics come through to where forced ones have checksums and products have rows, and back.

The database is that of release 0001, brought to revision 0051, with the catalog of test_release_0022.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.migrations.test_release_0022 import FILLED
from tests.roman_db.conftest import execute

_FORCED = "UPDATE roman.source_catalog_mosaic SET forced_path = '/forced.parquet'"
_ROW = """
INSERT INTO ops.archive_row (archive_table, filename, content, code_version)
VALUES ('SourceCatalog', 'a_cat.parquet', '{"filename": "a_cat.parquet", "program": 3}', '0.1.0')
"""


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0051 with a forced catalog."""
    migrate.upgrade("0051")
    execute(old_release, FILLED, _FORCED)
    return old_release


@pytest.mark.heavy
def test_forced_catalogs_come_through_without_a_checksum_and_back(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    assert len(before["roman.source_catalog_mosaic"]) == 1
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
    assert execute(filled, "SELECT forced_path, forced_sha256 FROM roman.source_catalog_mosaic") == [
        ("/forced.parquet", None)
    ]
    exposures = execute(filled, "SELECT count(*) FROM archive.wfiexposure")
    assert exposures == execute(filled, "SELECT count(*) FROM roman.exposure") != [(0,)]
    execute(filled, _ROW, "UPDATE roman.source_catalog_mosaic SET forced_sha256 = 'ab'")
    assert execute(filled, "SELECT filename, program FROM archive.sourcecatalog") == [("a_cat.parquet", 3)]
    command.downgrade(migrate.alembic_config(), "0051")
    assert everything(filled, columns) == before
    migrate.upgrade()
    assert everything(filled, columns) == before
