-- Light curves of others in blocks that hold points on both sides of a border of a season, or stand before one that their points are after: `roman-db run divide` cuts them.
-- Parameters:
--   from_mjd = 0: first day to look at, MJD TDB
SELECT b.block_id, b.start_mjd, b.midpoint_mjd_tdb[1] AS first_mjd_tdb, b.midpoint_mjd_tdb[b.n_epoch] AS last_mjd_tdb, min(e.day_mjd) AS border_mjd
FROM roman.light_curve_block AS b
JOIN (SELECT start_mjd AS day_mjd FROM roman.season UNION SELECT end_mjd FROM roman.season) AS e
    ON e.day_mjd > b.start_mjd AND e.day_mjd <= b.midpoint_mjd_tdb[b.n_epoch]
WHERE b.photometry_kind = 'external' AND b.superseded_at IS NULL AND b.start_mjd >= CAST(:from_mjd AS integer)
GROUP BY b.block_id
ORDER BY b.block_id;
