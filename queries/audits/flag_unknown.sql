-- Segments with a flag that roman.photometry_flag does not explain, or a run of flags beyond their exposures.
-- Parameters:
--   from_mjd = 0: first day to look at, MJD TDB
WITH known AS (
    SELECT coalesce(bit_or(1 << bit), 0) AS bits FROM roman.photometry_flag
)
SELECT s.object_id, s.block_id, s.start_mjd, b.n_epoch, run >> 32 AS first_exposure,
       run >> 16 & 65535 AS n_exposure, run & 65535 AS flags
FROM roman.light_curve_segment AS s
JOIN roman.light_curve_block AS b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
CROSS JOIN known
CROSS JOIN LATERAL unnest(s.flag_run) AS run
WHERE s.start_mjd >= CAST(:from_mjd AS integer)
  AND (run & 65535 & ~known.bits <> 0 OR run < 0 OR (run >> 32) + (run >> 16 & 65535) > b.n_epoch);
