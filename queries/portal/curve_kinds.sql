-- Light curves that one object has.
-- Grain: one row a kind of photometry and optical element
-- Parameters:
--   object_id: identifier of the object
SELECT b.photometry_kind, b.optical_element, sum(b.n_epoch) AS n_epoch,
       min(b.start_mjd) AS start_mjd, max(b.end_mjd) AS end_mjd
FROM roman.light_curve_segment AS s
JOIN roman.light_curve_block AS b
    ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
WHERE s.object_id = CAST(:object_id AS bigint)
GROUP BY b.photometry_kind, b.optical_element ORDER BY b.photometry_kind, b.optical_element;
