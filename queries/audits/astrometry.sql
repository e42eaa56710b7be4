-- Objects whose astrometry is not of the current solution of their piece of the sky, or contradicts itself.
SELECT 'not of the current solution' AS fault, a.season, a.object_id
FROM roman.object_astrometry AS a
LEFT JOIN roman.astrometric_solution AS s ON
    s.astrometric_solution_id = a.astrometric_solution_id AND s.superseded_at IS NULL
    AND s.season = a.season AND s.photometry_kind = a.photometry_kind
    AND s.healpix_index = a.object_id >> (2 * (29 - s.healpix_order))
WHERE s.astrometric_solution_id IS NULL
UNION ALL
SELECT 'correlation beyond one', a.season, a.object_id
FROM roman.object_astrometry AS a
WHERE EXISTS (SELECT FROM unnest(a.correlation) AS c (correlation) WHERE abs(c.correlation) > 1.001)
UNION ALL
SELECT 'no error above zero', a.season, a.object_id
FROM roman.object_astrometry AS a
WHERE
    a.status IN ('five_parameters', 'with_priors')
    AND (least(a.ra_err, a.dec_err, a.parallax_err, a.pm_ra_err, a.pm_dec_err) > 0) IS NOT TRUE;
