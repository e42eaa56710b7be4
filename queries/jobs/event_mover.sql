-- Read the proper motions of objects and of the stars that cannot be told from them.
-- Grain: one row an object, star at its place, and source of the motion; the most certain first.
-- Reads: roman.object, roman.object_astrometry, roman.variable_trend.
-- Writes: nothing.
-- Parameters:
--   objects: the objects, as an array
--   season: season of the light curves, 0 for all
--   photometry_kind: kind of the light curves
--   radius: deg within which a star is at the place of an object
-- Note: motions are those of the catalog, of the five-parameter fits of the season and of all exposures so far, and of
--   the object itself the trend of its offsets from where it is catalogued, by the optical element that has it best.
WITH near AS (
    SELECT
        w.object_id, n.object_id AS star_id, 3600 * q3c_dist(w.ra, w.dec, n.ra, n.dec) AS distance,
        n.pm_ra, n.pm_dec, n.pm_ra_err, n.pm_dec_err
    FROM roman.object AS w
    JOIN roman.object AS n ON q3c_join(w.ra, w.dec, n.ra, n.dec, CAST(:radius AS double precision))
    WHERE w.object_id = ANY(CAST(:objects AS bigint[]))
),

motion AS (
    SELECT object_id, star_id, distance, pm_ra, pm_dec, pm_ra_err, pm_dec_err FROM near
    UNION ALL
    SELECT n.object_id, n.star_id, n.distance, a.pm_ra, a.pm_dec, a.pm_ra_err, a.pm_dec_err
    FROM near AS n
    JOIN roman.object_astrometry AS a ON a.object_id = n.star_id
    WHERE
        a.season IN (0, CAST(:season AS smallint)) AND a.photometry_kind = CAST(:photometry_kind AS text)
    UNION ALL
    SELECT r.object_id, r.object_id, 0, r.slope, d.slope, r.slope_err, d.slope_err
    FROM roman.variable_trend AS r
    JOIN roman.variable_trend AS d USING (season, photometry_kind, object_id, optical_element)
    WHERE
        r.season = CAST(:season AS smallint) AND r.photometry_kind = CAST(:photometry_kind AS text)
        AND r.object_id = ANY(CAST(:objects AS bigint[])) AND r.quantity = 'offset_ra' AND d.quantity = 'offset_dec'
)

SELECT object_id, star_id, distance, pm_ra, pm_dec, pm_ra_err, pm_dec_err
FROM motion
WHERE pm_ra IS NOT NULL AND pm_dec IS NOT NULL AND pm_ra_err IS NOT NULL AND pm_dec_err IS NOT NULL
ORDER BY object_id, greatest(pm_ra_err, pm_dec_err), star_id;
