-- How much there is: small tables are counted, of large ones the planner's estimate is taken.
-- Grain: one row
WITH object AS (
    SELECT count(*) AS n FROM (SELECT FROM roman.object LIMIT 10000) AS first
), exposure AS (
    SELECT count(*) AS n FROM (SELECT FROM roman.exposure LIMIT 10000) AS first
)
SELECT CASE WHEN object.n < 10000 THEN object.n ELSE (
           SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = CAST('roman.object' AS regclass)
       ) END AS n_object,
       CASE WHEN exposure.n < 10000 THEN exposure.n ELSE (
           SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = CAST('roman.exposure' AS regclass)
       ) END AS n_exposure,
       object.n >= 10000 AS is_estimated, block.n_point, block.start_mjd, block.end_mjd,
       (SELECT count(*) FROM roman.event WHERE is_event AND same_as_event_id IS NULL) AS n_event
FROM object CROSS JOIN exposure CROSS JOIN (
    SELECT coalesce(sum(n_point), 0) AS n_point, min(start_mjd) AS start_mjd, max(end_mjd) AS end_mjd
    FROM roman.light_curve_block WHERE superseded_at IS NULL
) AS block;
