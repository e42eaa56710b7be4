-- Light curves of all objects of a field on a detector in an optical element, over a season.
-- Grain: object; position i of every array is the same exposure in all rows, NaN where the object was not measured
-- Reads: roman.field, roman.season, roman.light_curve_block, roman.light_curve_segment, roman.object
-- Parameters:
--   season: season of the survey, from 1; 0 for all there is
--   field: name of the field
--   detector: detector, such as WFI07
--   element: optical element, such as F146
--   kind: kind of photometry
WITH scope AS (
    SELECT f.field_id, s.start_mjd, s.end_mjd
    FROM roman.field f
    LEFT JOIN roman.season s ON s.survey = f.survey AND s.season = CAST(:season AS smallint)
    WHERE f.name = CAST(:field AS text) AND (s.season IS NOT NULL OR CAST(:season AS smallint) = 0)
), block AS MATERIALIZED (
    SELECT b.block_id, b.start_mjd, b.n_epoch, b.exposure_id, b.midpoint_mjd_tdb, b.midpoint_bjd_tdb
    FROM roman.light_curve_block b
    JOIN scope ON b.field_id = scope.field_id AND b.start_mjd >= coalesce(scope.start_mjd, b.start_mjd)
        AND b.end_mjd <= coalesce(scope.end_mjd, b.end_mjd)
    WHERE b.detector = CAST(:detector AS text) AND b.optical_element = CAST(:element AS text)
        AND b.photometry_kind = CAST(:kind AS text) AND b.superseded_at IS NULL
), epoch AS MATERIALIZED (
    SELECT roman.array_concat(exposure_id ORDER BY start_mjd, block_id) AS exposure_id,
           roman.array_concat(midpoint_mjd_tdb ORDER BY start_mjd, block_id) AS midpoint_mjd_tdb,
           roman.array_concat(midpoint_bjd_tdb ORDER BY start_mjd, block_id) AS midpoint_bjd_tdb
    FROM block
), curve AS (
    SELECT m.object_id,
           roman.array_concat(
               coalesce(s.flux, array_fill('NaN'::real, ARRAY[b.n_epoch])) ORDER BY b.start_mjd, b.block_id
           ) AS flux,
           roman.array_concat(
               coalesce(s.flux_err, array_fill('NaN'::real, ARRAY[b.n_epoch])) ORDER BY b.start_mjd, b.block_id
           ) AS flux_err,
           roman.array_concat(
               coalesce(roman.expand_flag_run(s.flag_run, b.n_epoch), array_fill(0, ARRAY[b.n_epoch]))
               ORDER BY b.start_mjd, b.block_id
           ) AS flags
    FROM (
        SELECT DISTINCT s.object_id
        FROM roman.light_curve_segment s
        JOIN block ON s.block_id = block.block_id AND s.start_mjd = block.start_mjd
    ) AS m
    CROSS JOIN block b
    LEFT JOIN roman.light_curve_segment s
        ON s.object_id = m.object_id AND s.block_id = b.block_id AND s.start_mjd = b.start_mjd
    GROUP BY m.object_id
)
SELECT o.object_id, o.ra, o.dec, o.ref_epoch, e.exposure_id, e.midpoint_mjd_tdb, e.midpoint_bjd_tdb,
       c.flux, c.flux_err, c.flags
FROM curve c JOIN roman.object o ON o.object_id = c.object_id CROSS JOIN epoch e
ORDER BY o.object_id
