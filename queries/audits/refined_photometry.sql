-- Refined events with two rows that are current, with places that contradict themselves, or without the light curve
-- that their row promises.
SELECT 'two current rows' AS fault, r.event_id, r.season, r.detector
FROM roman.event_refinement AS r
WHERE r.superseded_at IS NULL
GROUP BY r.event_id, r.season, r.field_id, r.detector
HAVING count(*) > 1
UNION ALL
SELECT 'no error of its place', r.event_id, r.season, r.detector
FROM roman.event_refinement AS r
WHERE r.status = 'fitted' AND (r.ra_err > 0 AND r.dec_err > 0 AND abs(r.ra_dec_corr) <= 1.001) IS NOT TRUE
UNION ALL
SELECT 'no light curve', r.event_id, r.season, r.detector
FROM roman.event_refinement AS r
WHERE
    r.superseded_at IS NULL AND r.n_exposure > 0 AND NOT EXISTS (
        SELECT FROM roman.light_curve_segment AS s
        JOIN roman.light_curve_block AS b
            ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
        WHERE s.object_id = r.object_id AND b.photometry_kind = 'refined' AND b.detector = r.detector
    );
