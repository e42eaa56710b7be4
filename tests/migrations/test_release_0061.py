"""Versions of collections that share a table are told before a database moves on; all others come through.

The database is that of release 0001, brought to revision 0061.
"""

import pytest
from alembic import command
from psycopg2.errors import UniqueViolation

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

_RUN = "(SELECT max(load_run_id) FROM ops.load_run)"
_PRODUCT = f"""
INSERT INTO roman.community_product (name, version, title, description, investigator, publication_doi,
    license, license_url, target_name, state, load_run_id)
VALUES ('{{}}', '{{}}', 't', 'd', 'i', '10.1/x', 'CC0-1.0', 'https://x', 'bulge', 'ingested', {_RUN})
"""
_FILE = f"""
INSERT INTO roman.community_file (community_product_id, filename, kind, description, sha256, size_bytes,
    n_row, table_name, load_run_id)
SELECT community_product_id, '{{}}', 'table', 'd', 's', 1, 1, 'community.{{}}', {_RUN}
FROM roman.community_product WHERE version = '{{}}'
"""
_QUALITY = f"""
INSERT INTO ops.task_run (load_run_id, mode, task, unit, arguments, state)
SELECT {_RUN}, 'season', 'season_quality', 'season all of gbtds-drm, psf',
    '{{"season": 0, "photometry_kind": "psf"}}', 'succeeded'
"""
_MEASURED = "SELECT arguments ->> 'survey' FROM ops.task_run WHERE task = 'season_quality'"


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0061 with two versions of a collection."""
    migrate.upgrade("0061")
    execute(old_release, _PRODUCT.format("DUST", "DR1"), _FILE.format("a", "dust_dr1_a", "DR1"))
    execute(old_release, _PRODUCT.format("DUST", "DR2"), _FILE.format("a", "dust_dr2_a", "DR2"))
    return old_release


def test_what_is_stored_comes_through(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
    for wrong in (_PRODUCT.format("Dust", "dr1."), _FILE.format("b", "dust_dr1_a", "DR2")):
        with pytest.raises(UniqueViolation):
            execute(filled, wrong)
    command.downgrade(migrate.alembic_config(), "0061")
    assert everything(filled, columns) == before
    migrate.upgrade()
    assert everything(filled, columns) == before


def test_the_quality_of_a_season_says_of_which_survey(filled):
    execute(filled, _QUALITY)
    before = everything(filled, tables(filled))
    migrate.upgrade()
    assert execute(filled, _MEASURED) == [("gbtds-drm",)]
    command.downgrade(migrate.alembic_config(), "0061")
    assert everything(filled, tables(filled)) == before


def test_digests_of_releases_are_those_of_rows_as_text(filled):
    execute(
        filled,
        f"INSERT INTO ops.data_release (data_release, survey, season, calibration, dropped_at, drop_reason, "
        f"load_run_id) VALUES ('dr1', 'gbtds', 1, 'one', now(), 'its schema is away', {_RUN})",
        "INSERT INTO ops.data_release_table (data_release, table_name, kind, n_row, digest) "
        "VALUES ('dr1', 'object', 'copied', 1, '5'), ('dr1', 'light_curve', 'view', NULL, NULL)",
    )
    before = everything(filled, tables(filled))
    migrate.upgrade()
    forms = "SELECT digest, digest_form FROM ops.data_release_table ORDER BY kind"
    assert execute(filled, forms) == [("5", "text"), (None, None)]
    command.downgrade(migrate.alembic_config(), "0061")
    assert everything(filled, tables(filled)) == before


@pytest.mark.parametrize(
    ("clash", "told"),
    [
        (_PRODUCT.format("Dust", "DR1"), r"DUST DR1 \(ingested\), Dust DR1 \(ingested\)"),
        (_FILE.format("b", "dust_dr1_a", "DR2"), r"DUST DR1 \(ingested\), DUST DR2 \(ingested\)"),
    ],
)
def test_versions_that_share_a_table_are_told_and_nothing_changes(filled, clash, told):
    execute(filled, clash)
    before = everything(filled, tables(filled))
    with pytest.raises(migrate.UnfitRows, match=told):
        migrate.upgrade()
    assert everything(filled, tables(filled)) == before
