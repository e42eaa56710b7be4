"""What was searched for events comes through to where each object has an outcome, and back.

The database is that of release 0001, brought to revision 0039, with searches of two ranges made up for it.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

OBJECTS = "SELECT object_id FROM roman.object ORDER BY object_id LIMIT 8"

_VARIES = """
INSERT INTO roman.variability ({names}, load_run_id)
SELECT {values}, (SELECT min(load_run_id) FROM ops.load_run)
"""

_RANGE = """
INSERT INTO ops.task_run (mode, task, unit, arguments, state, n_expected, n_read, load_run_id)
SELECT 'season', 'events', 'u', jsonb_build_object('season', 1, 'photometry_kind', 'psf',
       'first_object', {first}, 'last_object', {last}), '{state}', 1, 1, min(load_run_id) + {later}
FROM ops.load_run
"""

_EVENT = """
INSERT INTO roman.event (object_id, season, photometry_kind, is_event, classification, t_0_guess, t_eff,
    search_shape, search_gain, n_point, load_run_id)
SELECT {o}, 1, 'psf', {kept}, '{name}', 2461500, 1, 1, 100, 50, min(load_run_id) FROM ops.load_run
"""


def varies(url, object_id, index):
    """Store statistics of an object; of what must have a value, the index alone says something."""
    needed = execute(
        url,
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'roman' "
        "AND table_name = 'variability' AND is_nullable = 'NO' AND column_default IS NULL",
    )
    given = {"season": "1", "photometry_kind": "'psf'", "object_id": str(object_id)}
    given |= {"optical_element": "'F146'", "variability_index": str(index)}
    other = {name: "1" for (name,) in needed if name not in given and name != "load_run_id"}
    other |= {name: "false" for name in other if name.startswith("is_")}
    row = other | {"longest_run": "0", "von_neumann": "2", "n_point": "50"} | given
    execute(url, _VARIES.format(names=", ".join(row), values=", ".join(row.values())))


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0039: of eight objects six were searched, half of which vary."""
    migrate.upgrade("0039")
    execute(
        old_release,
        "CREATE TABLE roman_partition.variability_1 PARTITION OF roman.variability FOR VALUES IN (1)",
    )
    objects = [one for (one,) in execute(old_release, OBJECTS)]
    for k, object_id in enumerate(objects):
        varies(old_release, object_id, 9 if k % 2 == 0 else 0.5)
    for first, last, state, later in (
        (0, 3, "succeeded", 0),
        (0, 3, "succeeded", 1),
        (4, 5, "succeeded", 0),
        (6, 7, "interrupted", 0),
    ):
        given = {"first": objects[first], "last": objects[last], "state": state, "later": later}
        execute(old_release, _RANGE.format(**given))
    execute(old_release, _EVENT.format(o=objects[0], kept=True, name="single_lens"))
    execute(old_release, _EVENT.format(o=objects[4], kept=False, name="not_found"))
    return old_release, objects


@pytest.mark.heavy
def test_what_was_searched_need_not_be_searched_again(filled):
    url, objects = filled
    columns = tables(url)
    before = everything(url, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(url, columns) == before
    ((run,),) = execute(url, "SELECT min(load_run_id) FROM ops.load_run")
    query = (
        "SELECT object_id, season, photometry_kind, outcome, n_point, load_run_id FROM roman.event_search "
    )
    assert execute(url, query + "ORDER BY object_id") == [
        (objects[0], 1, "psf", "candidate", None, run + 1),
        (objects[2], 1, "psf", "nothing", None, run + 1),
        (objects[4], 1, "psf", "nothing", None, run),
    ]
    command.downgrade(migrate.alembic_config(), "0039")
    assert everything(url, columns) == before
    migrate.upgrade()
    assert everything(url, columns) == before
