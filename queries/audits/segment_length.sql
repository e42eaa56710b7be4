-- Segments with an array whose length is not the number of exposures of their block.
-- Parameters:
--   from_mjd = 0: first day to look at, MJD TDB
WITH lengths AS (
    SELECT 'light_curve_segment' AS stored_in, object_id, block_id, start_mjd,
           ARRAY[cardinality(flux), cardinality(flux_err)] AS lengths
    FROM roman.light_curve_segment
    UNION ALL
    SELECT 'astrometry_segment', object_id, block_id, start_mjd,
           ARRAY[cardinality(offset_ra), cardinality(offset_dec), cardinality(offset_ra_err),
                 cardinality(offset_dec_err)]
    FROM roman.astrometry_segment
    UNION ALL
    SELECT 'shape_segment', object_id, block_id, start_mjd,
           ARRAY[cardinality(size_excess), cardinality(e1), cardinality(e2), cardinality(size_excess_err),
                 cardinality(e1_err), cardinality(e2_err), cardinality(reduced_chi2)]
    FROM roman.shape_segment
)
SELECT l.stored_in, l.object_id, l.block_id, l.start_mjd, b.n_epoch, l.lengths
FROM lengths AS l
JOIN roman.light_curve_block AS b ON b.block_id = l.block_id AND b.start_mjd = l.start_mjd
WHERE l.start_mjd >= CAST(:from_mjd AS integer) AND b.n_epoch <> ANY(l.lengths);
