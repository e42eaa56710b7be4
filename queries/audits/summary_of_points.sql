-- Summaries that disagree with their points: the number of flagged points, or that of the points that count.
-- Parameters:
--   from_mjd = 0: first day to look at, MJD TDB
-- Note: which flags exclude a point is the daily job's choice; between none and all of the flagged ones may.
WITH counted AS (
    SELECT s.object_id, s.block_id, s.start_mjd,
           (SELECT count(*) FROM unnest(s.flux) AS f WHERE f <> 'NaN'::real) AS n_measured,
           coalesce((SELECT sum(run >> 16 & 65535) FROM unnest(s.flag_run) AS run), 0) AS n_flagged
    FROM roman.light_curve_segment AS s
    WHERE s.start_mjd >= CAST(:from_mjd AS integer)
)
SELECT c.object_id, c.block_id, c.start_mjd, c.n_measured, c.n_flagged,
       s.n_point AS n_point_of_summary, s.n_flagged AS n_flagged_of_summary
FROM counted AS c
JOIN roman.light_curve_summary AS s USING (object_id, start_mjd, block_id)
WHERE s.n_flagged <> c.n_flagged OR s.n_point NOT BETWEEN c.n_measured - c.n_flagged AND c.n_measured;
