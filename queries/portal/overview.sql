-- How much there is: small tables are counted, of large ones the planner's estimate is taken.
-- Grain: one row
SELECT (SELECT CAST(greatest(reltuples, 0) AS bigint) FROM pg_class WHERE oid = 'roman.object'::regclass) AS n_object,
       (SELECT count(*) FROM (SELECT FROM roman.object LIMIT 10000) AS first) AS n_object_counted,
       (SELECT count(*) FROM (SELECT FROM roman.exposure LIMIT 1000000) AS first) AS n_exposure,
       (SELECT coalesce(sum(n_point), 0) FROM roman.light_curve_block WHERE superseded_at IS NULL) AS n_point,
       (SELECT count(*) FROM roman.event WHERE is_event AND same_as_event_id IS NULL) AS n_event,
       (SELECT min(start_mjd) FROM roman.light_curve_block WHERE superseded_at IS NULL) AS start_mjd,
       (SELECT max(end_mjd) FROM roman.light_curve_block WHERE superseded_at IS NULL) AS end_mjd;
