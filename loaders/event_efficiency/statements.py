"""What is asked of the database for detection efficiency of events."""

from __future__ import annotations

#: Constant stars in an order that the seed makes, with the field of their light curves.
STARS = """
WITH constant AS (
    SELECT object_id, floor(roman.ab_magnitude(min(mean_flux) FILTER (WHERE optical_element = :element)))
           AS cell
    FROM roman.variability
    WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
      AND mod(abs(hashint8(object_id)::bigint), CAST(:one_in AS bigint)) = 0
    GROUP BY object_id HAVING NOT bool_or(is_variable)
), numbered AS (
    SELECT object_id, cell, hashint8extended(object_id, CAST(:seed AS bigint)) AS place,
           row_number() OVER (
               PARTITION BY cell ORDER BY hashint8extended(object_id, CAST(:seed AS bigint)), object_id
           ) AS n
    FROM constant WHERE cell IS NOT NULL
)
SELECT n.object_id, n.cell::integer AS cell, f.field_id
FROM numbered n
LEFT JOIN LATERAL (
    SELECT b.field_id FROM roman.light_curve_summary s
    JOIN roman.light_curve_block b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
    WHERE s.object_id = n.object_id AND b.superseded_at IS NULL AND b.photometry_kind = :photometry_kind
      AND s.start_mjd >= :from_mjd AND s.start_mjd < :to_mjd
    ORDER BY s.start_mjd, b.block_id LIMIT 1
) f ON true
WHERE n.n <= CAST(:most AS bigint)
ORDER BY n.place, n.object_id
"""

OBJECTS = "SELECT object_id, ra, dec FROM roman.object WHERE object_id = ANY(:objects)"

#: Segments in the order in which statistics of variability take them, with the flux that counted as quiet.
SEGMENTS = """
SELECT s.object_id, b.optical_element, b.exposure_id, b.midpoint_bjd_tdb, s.flux, s.flux_err,
       coalesce(roman.expand_flag_run(s.flag_run, b.n_epoch), array_fill(0, ARRAY[b.n_epoch])) AS flags,
       coalesce(m.reference_flux::float8, 'NaN') AS reference_flux
FROM roman.light_curve_segment s
JOIN roman.light_curve_block b
    ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
LEFT JOIN roman.light_curve_summary m
    ON m.object_id = s.object_id AND m.block_id = s.block_id AND m.start_mjd = s.start_mjd
WHERE s.object_id = ANY($1) AND b.photometry_kind = $2 AND s.start_mjd >= $3 AND s.start_mjd < $4
ORDER BY s.object_id, b.optical_element, m.first_mjd_tdb NULLS LAST, b.start_mjd, b.block_id
"""

LOCI = """
SELECT optical_element, magnitude, centre, width FROM roman.variability_locus
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
ORDER BY optical_element, magnitude
"""

#: Injections whose trials are newer than their cells, or whose cells an earlier release made, not by field.
UNCOUNTED = """
SELECT i.injection_run_id, i.name FROM roman.injection_run i
WHERE i.name = ANY(CAST(:names AS text[]))
  AND ((SELECT max(r.load_run_id) FROM roman.event_recovery r WHERE r.injection_run_id = i.injection_run_id)
    > (SELECT coalesce(max(c.load_run_id), 0) FROM (
           SELECT injection_run_id, load_run_id FROM roman.event_efficiency
           UNION ALL SELECT injection_run_id, load_run_id FROM roman.planet_efficiency
       ) c WHERE c.injection_run_id = i.injection_run_id)
    OR NOT EXISTS (
        SELECT FROM roman.event_efficiency c
        WHERE c.injection_run_id = i.injection_run_id AND c.field_id <> 0
        UNION ALL
        SELECT FROM roman.planet_efficiency c
        WHERE c.injection_run_id = i.injection_run_id AND c.field_id <> 0)
    AND EXISTS (
        SELECT FROM roman.injected_event e
        WHERE e.injection_run_id = i.injection_run_id AND e.field_id IS NOT NULL
          AND (e.kind = 'point_lens' AND e.einstein_time IS NOT NULL
               OR e.kind = 'planet' AND e.q IS NOT NULL)))
ORDER BY i.name
"""

N_SOURCE = """
UPDATE roman.injection_run SET n_source = (
    SELECT count(*) FROM roman.injected_event
    WHERE injection_run_id = CAST(:injection_run_id AS bigint) AND kind IN ('point_lens', 'planet')
)
WHERE injection_run_id = CAST(:injection_run_id AS bigint)
"""

SUMMARY = """
SELECT c.*, n.cells, n.enough, n.most FROM roman.event_detection_count c
LEFT JOIN LATERAL (
    SELECT count(*) AS cells, count(*) FILTER (WHERE n_injected >= n_needed) AS enough, max(n_needed) AS most
    FROM (
        SELECT injection_run_id, n_injected, n_needed FROM roman.event_efficiency WHERE field_id = 0
        UNION ALL SELECT injection_run_id, n_injected, n_needed FROM roman.planet_efficiency
        WHERE field_id = 0 AND magnitude_lower = 0 AND magnitude_upper = 99
    ) cell WHERE cell.injection_run_id = c.injection_run_id
) n ON true
WHERE c.name = ANY(CAST(:names AS text[])) ORDER BY c.name
"""

_MINE = """
    c.season = CAST(:season AS smallint) AND c.photometry_kind = :photometry_kind
    AND c.inject_medium = 'lightcurve'
"""

_LIMITS = """
       n_recovered / n_injected::float8 AS completeness,
       roman.wilson_limit(n_recovered, n_injected, -1) AS completeness_lower,
       roman.wilson_limit(n_recovered, n_injected, 1) AS completeness_upper
"""

_SUMS = "sum(e.n_injected)::bigint AS n_injected, sum(e.n_recovered)::bigint AS n_recovered"


def _completeness(columns: str, table: str, which: str) -> str:
    """Completeness by some columns of a table of cells, of all injections of a season."""
    return f"""
SELECT cell.*, {_LIMITS}
FROM (
    SELECT {columns}, {_SUMS}
    FROM roman.{table} AS e JOIN roman.event_detection_count AS c USING (injection_run_id)
    WHERE {_MINE} AND e.field_id = 0 {which} GROUP BY {columns}
) AS cell ORDER BY {columns.replace("e.", "")}
"""


BY_MAGNITUDE = _completeness(
    "e.einstein_time_lower, e.einstein_time_upper, e.magnitude_lower, e.magnitude_upper",
    "event_efficiency",
    "",
)
BY_IMPACT = _completeness(
    "e.einstein_time_lower, e.einstein_time_upper, e.u_0_lower, e.u_0_upper", "event_efficiency", ""
)
BY_PLANET = _completeness(
    "e.s_lower, e.s_upper, e.q_lower, e.q_upper",
    "planet_efficiency",
    "AND e.magnitude_lower = 0 AND e.magnitude_upper = 99",
)


def _detections(columns: str, table: str, which: str) -> str:
    """Completeness and reliability by some columns of a view of counts, of all injections of a season."""
    return f"""
SELECT cell.*, tp + fn AS n_injected, tp + fp AS n_found,
       tp / nullif(tp + fn, 0)::float8 AS completeness,
       roman.wilson_limit(tp, tp + fn, -1) AS completeness_lower,
       roman.wilson_limit(tp, tp + fn, 1) AS completeness_upper,
       tp / nullif(tp + fp, 0)::float8 AS reliability,
       roman.wilson_limit(tp, tp + fp, -1) AS reliability_lower,
       roman.wilson_limit(tp, tp + fp, 1) AS reliability_upper
FROM (
    SELECT {columns}, sum(c.tp_count)::bigint AS tp, sum(c.fp_count)::bigint AS fp,
           sum(c.fn_count)::bigint AS fn
    FROM {table} WHERE {_MINE} {which} GROUP BY {columns}
) AS cell ORDER BY {columns.replace("c.", "")}
"""


BY_FIELD = _detections(
    "field_name, c.magnitude_lower, c.magnitude_upper",
    "roman.event_detection_cell AS c "
    "JOIN (SELECT field_id, name AS field_name FROM roman.field) AS f USING (field_id)",
    "AND (c.magnitude_lower > 0 OR c.magnitude_upper < 99)",
)
BY_PLACE = _detections("c.healpix_order, c.healpix_index", "roman.event_detection_map AS c", "")

#: What pictures show, by their names.
CELLS = {
    "magnitude": BY_MAGNITUDE,
    "u_0": BY_IMPACT,
    "planets": BY_PLANET,
    "fields": BY_FIELD,
    "reliability": BY_FIELD,
    "sky": BY_PLACE,
}
