-- Read of which optical element and season exposures are, and where the current solution of a piece of the sky has them.
-- Grain: one row an exposure in a season.
-- Reads: roman.exposure, roman.season, roman.astrometric_solution, roman.astrometric_exposure.
-- Writes: nothing.
-- Parameters:
--   exposure_id: the exposures, as an array
--   survey: survey whose seasons count
--   season: season of the solution where there is none of all exposures
--   photometry_kind: kind of the light curves
--   index: the piece of the sky
-- Note: of a solution that left exposures where the photometry put them there are no rows; terms are zero then.
WITH solution AS (
    SELECT s.astrometric_solution_id, s.frame
    FROM roman.astrometric_solution AS s
    WHERE
        s.superseded_at IS NULL AND s.season IN (0, CAST(:season AS smallint))
        AND s.photometry_kind = CAST(:photometry_kind AS text) AND s.healpix_index = CAST(:index AS bigint)
    ORDER BY s.season
    LIMIT 1
)

SELECT
    e.exposure_id, e.optical_element, n.season, e.midpoint_mjd_tdb, coalesce(a.shift_ra, 0) AS shift_ra,
    coalesce(a.shift_dec, 0) AS shift_dec, coalesce(a.ra_by_east, 0) AS ra_by_east,
    coalesce(a.ra_by_north, 0) AS ra_by_north, coalesce(a.dec_by_east, 0) AS dec_by_east,
    coalesce(a.dec_by_north, 0) AS dec_by_north
FROM roman.exposure AS e
JOIN roman.season AS n ON
    n.survey = CAST(:survey AS text) AND e.midpoint_mjd_tdb >= n.start_mjd AND e.midpoint_mjd_tdb < n.end_mjd
LEFT JOIN solution AS s ON TRUE
LEFT JOIN roman.astrometric_exposure AS a
    ON a.astrometric_solution_id = s.astrometric_solution_id AND a.exposure_id = e.exposure_id
WHERE
    e.exposure_id = ANY(CAST(:exposure_id AS bigint[]))
    AND (s.astrometric_solution_id IS NULL OR s.frame = 'catalog' OR a.exposure_id IS NOT NULL)
ORDER BY e.exposure_id
