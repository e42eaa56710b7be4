"""What was uploaded for jobs is counted from now on, beside jobs that are there.

The database is that of release 0001, brought to revision 0059.
"""

import pytest
from alembic import command

from roman_db import migrate
from roman_db.tap.uws import storage
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

_JOBS = """
INSERT INTO uws.job (job_id, party, phase, destruction, execution_duration, parameters, media_type,
    result_size)
VALUES ('done', 'client a', 'COMPLETED', now(), 60, '[]', 'text/csv', 70),
    ('waiting', 'client a', 'PENDING', now(), 60, '[]', NULL, NULL)
"""


@pytest.mark.heavy
def test_jobs_come_through_and_their_files_are_counted(old_release):
    migrate.upgrade("0059")
    execute(old_release, _JOBS)
    columns = tables(old_release)
    before = everything(old_release, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(old_release, columns) == before
    assert storage.stored_bytes("client a") == 70
    execute(old_release, "UPDATE uws.job SET upload_size = 5")
    assert storage.stored_bytes("client a") == 75
    command.downgrade(migrate.alembic_config(), "0059")
    assert everything(old_release, columns) == before
    migrate.upgrade()
    assert everything(old_release, columns) == before
