"""What is stored, by keys that mean something: without numbers and times that two runs give differently."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from tests.roman_db.conftest import execute

#: Columns that say which run wrote a row, or when, or under which number.
_ARBITRARY = (
    "load_run_id", "file_id", "field_id", "block_id", "psf_model_id", "psf_moment_id", "scene_id",
    "quality_metric_id", "load_rejection_id", "catalog_version_id", "first_catalog_version_id", "replaced_by",
    "measured_at", "rejected_at", "created_at", "loaded_at", "superseded_at",
)  # fmt: skip

_VERSION = "(SELECT count(*) FROM roman.catalog_version v WHERE v.catalog_version_id <= t.{})"
_WRITTEN = _VERSION.format("catalog_version_id")
_FIRST = _VERSION.format("first_catalog_version_id")
_REPLACED = _VERSION.format("replaced_by")
_METRIC = "SELECT t.metric, t.value, t.verdict"

#: Query by name; each gives rows ``t`` and what their arbitrary numbers refer to.
QUERIES: Mapping[str, str] = {
    "file": "SELECT t, t.superseded_at IS NOT NULL FROM ops.input_file t",
    "input": "SELECT DISTINCT t.role, t.path, t.sha256, t.size_bytes FROM ops.load_run_input t",
    "program": "SELECT t, 0 FROM roman.program t",
    "visit": "SELECT t, 0 FROM roman.visit t",
    "field": "SELECT t, 0 FROM roman.field t",
    "exposure": "SELECT t, (f.name, i.path, i.sha256) FROM roman.exposure t "
    "JOIN roman.field f USING (field_id) JOIN ops.input_file i USING (file_id)",
    "catalog_version": f"SELECT t, {_WRITTEN} FROM roman.catalog_version t",
    "object": f"SELECT t, ({_WRITTEN}, {_FIRST}) FROM roman.object t",
    "object_history": f"SELECT t, ({_WRITTEN}, {_REPLACED}) FROM roman.object_history t",
    "object_flux": f"SELECT t, {_WRITTEN} FROM roman.object_flux t",
    "object_flux_history": f"SELECT t, ({_WRITTEN}, {_REPLACED}) FROM roman.object_flux_history t",
    "object_alias": f"SELECT t, {_WRITTEN} FROM roman.object_alias t",
    "psf": "SELECT t, 0 FROM roman.psf_model t WHERE superseded_at IS NULL",
    "psf_moment": "SELECT t, (p.detector, p.optical_element, p.epoch_mjd_tdb) FROM roman.psf_moment t "
    "JOIN roman.psf_model p USING (psf_model_id) WHERE p.superseded_at IS NULL",
    "block": f"SELECT t, {_WRITTEN} FROM roman.light_curve_block t WHERE superseded_at IS NULL",
    "light_curve": "SELECT t, 0 FROM roman.light_curve t",
    "astrometry": "SELECT t, 0 FROM roman.astrometry_curve t",
    "shape": "SELECT t, 0 FROM roman.shape_curve t",
    "summary": "SELECT t, b.exposure_id FROM roman.light_curve_summary t "
    "JOIN roman.light_curve_block b USING (block_id, start_mjd) WHERE b.superseded_at IS NULL",
    "metric_of_exposure": f"{_METRIC}, t.exposure_id FROM ops.quality_metric t WHERE exposure_id IS NOT NULL",
    "metric_of_block": f"{_METRIC}, b.exposure_id FROM ops.quality_metric t "
    "JOIN roman.light_curve_block b USING (block_id) WHERE b.superseded_at IS NULL",
    "rejection": "SELECT DISTINCT t.source, t.row_number, t.code, t.reason, t.remedy "
    "FROM ops.load_rejection t",
    "truth": "SELECT t, 0 FROM roman.simulated_source t",
}


def stored_rows(url: str) -> dict[str, list[str]]:
    """Rows of all tables as JSON, sorted."""
    return {name: _rows(url, query) for name, query in QUERIES.items()}


@functools.cache
def _wrapped(query: str) -> str:
    without = ", ".join(f"'{name}'" for name in _ARBITRARY)
    columns = (
        "to_jsonb(q) - 't' || coalesce(to_jsonb(q) -> 't', '{}')" if "SELECT t," in query else "to_jsonb(q)"
    )
    return f"SELECT (({columns}) - ARRAY[{without}])::text AS row FROM ({query}) q ORDER BY 1"


def _rows(url: str, query: str) -> list[str]:
    return [row for (row,) in execute(url, _wrapped(query))]


def assert_same(found: Mapping[str, list[str]], expected: Mapping[str, list[str]]) -> None:
    """Compare stored rows, table by table, so that a failure shows few of them."""
    for name, rows in expected.items():
        missing = sorted(set(rows) - set(found[name]))[:2]
        surplus = sorted(set(found[name]) - set(rows))[:2]
        assert (len(found[name]), missing, surplus) == (len(rows), [], []), name
