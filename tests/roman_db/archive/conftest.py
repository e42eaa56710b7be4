"""The filled database of ``tests/queries`` with what a product needs beyond it, and the command."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner, Result

from roman_db import session
from roman_db.archive.commands import commands

from ...queries.conftest import filled_template, own_survey

__all__ = ["filled_template", "own_survey"]

_FACTS = (
    "UPDATE roman.program SET program_category = 'CCS', program_subcategory = 'GBTD'",
    "UPDATE roman.exposure SET exposure_time = 66.5, roll_ref = 91.2, pa_v3 = 90.9",
    "SELECT ops.open_variability_season(CAST(1 AS smallint))",
    """
    INSERT INTO roman.variability (season, object_id, optical_element, photometry_kind, n_point, mean_flux,
                                   min_flux, max_flux, longest_run, is_variable, skewness, load_run_id)
    SELECT 1, object_id, 'F146', 'psf', 72, 1000.0 / 7 + row_number() OVER (ORDER BY object_id), 90.1, 110.3,
           2, object_id %% 2 = 0, CASE WHEN object_id %% 3 = 0 THEN 0.1 END, load_run_id
    FROM roman.object
    """,
    """
    INSERT INTO roman.event (object_id, season, photometry_kind, is_event, classification, t_0_guess, t_eff,
                             search_shape, search_gain, delta_chi2, explained, n_point, load_run_id)
    SELECT object_id, 1, 'psf', number < 3, 'single_lens', 2461461.7, 0.1, 1, 1000, 1000.0 / number, 1, 32,
           load_run_id
    FROM (SELECT *, row_number() OVER (ORDER BY object_id) AS number FROM roman.object) AS o WHERE number <= 3
    """,
    """
    INSERT INTO roman.event_model (event_id, rank, name, n_lens, n_source, has_finite_source, has_parallax,
                                   chi2, n_point, n_parameter, bic, is_converged, software, load_run_id)
    SELECT event_id, rank, '1L1S', 1, 1, false, false, 32, 32, 5, 50, true, 'test', load_run_id
    FROM roman.event, generate_series(1, 2) AS rank WHERE event_id = (SELECT min(event_id) FROM roman.event)
    """,
    """
    INSERT INTO roman.event_model_parameter (event_model_id, name, value, err)
    SELECT event_model_id, v.name, value / rank, value / 1000
    FROM roman.event_model, (VALUES ('t_0', 2461461.7), ('u_0', 0.3), ('t_E', 1.1)) AS v (name, value)
    """,
    """
    INSERT INTO roman.event_model_flux (event_model_id, optical_element, source_number, flux, error_scale)
    SELECT event_model_id, 'F146', number, 100.0 + number, 1
    FROM roman.event_model, generate_series(0, 1) AS number
    """,
)


@pytest.fixture
def described(own_survey):
    """The survey, with programs and exposures that say all that the archive asks, statistics and events."""
    with session.transaction(session.Role.OWNER) as connection:
        for fact in _FACTS:
            connection.exec_driver_sql(fact)
    return own_survey


@pytest.fixture
def run():
    """Run ``roman-db export product`` with some words."""

    @click.group()
    def root():
        pass

    @root.group()
    def export():
        pass

    commands(root)

    def invoke(*words: object) -> Result:
        result = CliRunner().invoke(root, ["export", "product", *map(str, words)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke
