"""Searches for spectra find the indexes: nothing reads the arrays of all."""

from __future__ import annotations

import re

import pytest

from roman_db import session
from roman_db.tap.adql import schema_catalog, translate
from roman_db.tap.parameters import Limits
from roman_db.vo.parameters import Parameters
from roman_db.vo.spectral_access import spectral_query
from tests.roman_db.spectra import store_spectra

_LIMITS = Limits(1000, 1000)
_SPREAD = """
    INSERT INTO roman.spectrum OVERRIDING SYSTEM VALUE
    SELECT copy.*
    FROM generate_series(1, 3999) n, (SELECT * FROM roman.spectrum WHERE object_id IS NULL LIMIT 1) r,
    jsonb_populate_record(CAST(NULL AS roman.spectrum), to_jsonb(r) || jsonb_build_object(
        'spectrum_id', 1000 + n, 'spectrum_name', 'copy ' || n, 'ra', (n * 137.50776) % 360,
        'dec', degrees(asin(1 - n / 2000.0)), 'n_pixel', 2, 'wavelength', ARRAY[n, n + 0.5],
        'flux', ARRAY[1, 1],
        'flux_err', ARRAY[1, 1], 'mask', ARRAY[0, 0])) AS copy
"""


@pytest.fixture
def many_spectra(own_survey):
    """Spectra all over the sky, each in a band of its own."""
    store_spectra("/nowhere", int(own_survey.object_id[3]), (own_survey.ra[3], own_survey.dec[3]))
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(_SPREAD, execution_options={"no_parameters": True})
    with session.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE roman.spectrum")


def plan(sql: str) -> str:
    """How PostgreSQL answers a query."""
    with session.reading() as connection:
        lines = connection.exec_driver_sql(f"EXPLAIN {sql}", execution_options={"no_parameters": True})
        return "\n".join(line for (line,) in lines)


def test_conditions_find_the_indexes(many_spectra):
    wanted = {
        "spectrum_q3c_idx": {"POS": "137.5,88"},
        "spectrum_band_idx": {"BAND": "1e-9/3e-6"},
        "spectrum_name_idx": {"TARGETNAME": "Copy 7,copy 8"},
    }
    plans = {
        index: plan(
            spectral_query(Parameters(parameters.items()), _LIMITS, False, "https://a").translation.sql
        )
        for index, parameters in wanted.items()
    }
    in_obscore = "SELECT obs_id FROM ivoa.obscore WHERE dataproduct_type = 'spectrum' AND em_min < 3e-6"
    plans["spectrum_band_idx "] = plan(translate(in_obscore, schema_catalog()).sql)
    for index, found in plans.items():
        assert index.strip() in found, found
        assert not re.search(r"Seq Scan on spectrum\b", found)
