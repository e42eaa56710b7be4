"""Cells of efficiency come through as those of all fields and magnitudes, and back.

The database is that of release 0001, brought to revision 0040, with events injected and cells made up for it.
"""

import pytest
from alembic import command
from psycopg2.errors import UniqueViolation

from loaders.event_efficiency.load import uncounted
from roman_db import migrate
from roman_db.query.audit import chosen, run_audits
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

_FILLED = """
INSERT INTO roman.injection_run
    (name, inject_medium, optical_element, seed, n_source, parameters, load_run_id)
SELECT 'events', 'lightcurve', 'F146', 1, 4, '{}', min(load_run_id) FROM ops.load_run;
INSERT INTO roman.injected_event
    (injection_run_id, injected_event_id, object_id, field_id, season, photometry_kind, kind, baseline_flux,
     t_0, u_0, einstein_time, s, q, load_run_id)
SELECT i.injection_run_id, 4 * n, o.object_id, 1 + n % 2, 1, 'psf', k.kind, 1000.0 * (1 + n), 2461460, 0.3,
       3, 1.1, 1e-3, i.load_run_id
FROM roman.injection_run i, (SELECT min(object_id) AS object_id FROM roman.object) o, generate_series(0, 3) n,
     LATERAL (SELECT CASE WHEN n < 2 THEN 'point_lens' ELSE 'planet' END AS kind) k
WHERE i.name = 'events';
INSERT INTO roman.event_recovery
    (injection_run_id, injected_event_id, binary_class, is_failed, classification, is_selected, longest_run,
     has_planet, load_run_id)
SELECT injection_run_id, injected_event_id, 'TP', false, 'single_lens', true, 5, false, load_run_id
FROM roman.injected_event;
INSERT INTO roman.event_efficiency
SELECT injection_run_id, 1, 3, 10, 20, 21, 0, 1, 2, 2, 0, 1, 0.7, 1, 100, load_run_id
FROM roman.injection_run WHERE name = 'events';
INSERT INTO roman.planet_efficiency
    (injection_run_id, season, s_lower, s_upper, q_lower, q_upper, n_injected, n_event, n_recovered, n_failed,
     completeness, completeness_lower, completeness_upper, n_needed, load_run_id)
SELECT injection_run_id, 1, 1, 3, 1e-4, 1e-3, 2, 2, 1, 0, 0.5, 0.2, 0.8, 625, load_run_id
FROM roman.injection_run WHERE name = 'events';
"""

#: The same cells once more, of a field.
_OF_A_FIELD = """
INSERT INTO roman.event_efficiency
SELECT injection_run_id, season, einstein_time_lower, einstein_time_upper, magnitude_lower, magnitude_upper,
       u_0_lower, u_0_upper, 1, 1, 0, 1, 0.5, 1, 100, load_run_id, {field}
FROM roman.event_efficiency WHERE field_id = 0;
INSERT INTO roman.planet_efficiency
    (injection_run_id, season, s_lower, s_upper, q_lower, q_upper, n_injected, n_event, n_recovered, n_failed,
     completeness, completeness_lower, completeness_upper, n_needed, load_run_id, magnitude_lower,
     magnitude_upper)
SELECT injection_run_id, season, s_lower, s_upper, q_lower, q_upper, 1, 1, 1, 0, 1, 0.5, 1, 100, load_run_id,
       18, 20
FROM roman.planet_efficiency WHERE field_id = 0 AND magnitude_upper = 99;
"""


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0040 with cells."""
    migrate.upgrade("0040")
    execute(old_release, _FILLED)
    return old_release


def test_cells_are_those_of_all_fields_and_magnitudes_and_come_back(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    assert before["roman.event_efficiency"]
    assert before["roman.planet_efficiency"]
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
    assert execute(filled, "SELECT field_id FROM roman.event_efficiency") == [(0,)]
    query = "SELECT field_id, magnitude_lower, magnitude_upper FROM roman.planet_efficiency"
    assert execute(filled, query) == [(0, 0.0, 99.0)]
    assert [result.name for result in run_audits(chosen(["event_recovery"]), 0) if not result.passed] == []
    execute(filled, _OF_A_FIELD.format(field=1))
    with pytest.raises(UniqueViolation):
        execute(filled, _OF_A_FIELD.format(field=1))
    command.downgrade(migrate.alembic_config(), "0040")
    assert everything(filled, columns) == before
    migrate.upgrade()
    assert everything(filled, columns) == before


def test_cells_of_fields_are_counted_when_it_is_run_again(filled):
    migrate.upgrade()
    (unit,) = uncounted(["events"])
    assert unit.name == "cells of events"
    execute(filled, _OF_A_FIELD.format(field=1))
    assert uncounted(["events"]) == []
