-- Relative motions of source and lens that are there twice, whose errors make no sense, or whose status contradicts them.
SELECT 'two current rows' AS fault, r.event_id, r.season, r.method
FROM roman.relative_proper_motion AS r
WHERE r.superseded_at IS NULL
GROUP BY r.event_id, r.season, r.method
HAVING count(*) > 1
UNION ALL
SELECT 'no error above zero', r.event_id, r.season, r.method
FROM roman.relative_proper_motion AS r
WHERE r.pm_rel IS NOT NULL AND (least(r.pm_rel_ra_err, r.pm_rel_dec_err, r.pm_rel_err) > 0) IS NOT TRUE
UNION ALL
SELECT 'measured, but not significant', r.event_id, r.season, r.method
FROM roman.relative_proper_motion AS r
WHERE r.status = 'measured' AND (r.chi2_zero > 11.8) IS NOT TRUE
UNION ALL
SELECT 'correlation beyond one', r.event_id, r.season, r.method
FROM roman.relative_proper_motion AS r
WHERE abs(r.pm_rel_corr) > 1.001;
