-- Read the current solutions of a piece of the sky from data alone, beside what is catalogued of the objects.
-- Grain: one row an object with five parameters.
-- Reads: roman.object_astrometry, roman.astrometric_solution, roman.object.
-- Writes: nothing.
-- Parameters:
--   astrometric_solution_id: the solution
--   season: its season
--   photometry_kind: kind of its light curves
--   first: first object_id of the piece
--   end: object_id after the last one
SELECT
    a.object_id, a.ra, a.dec, a.ref_epoch, a.pm_ra, a.pm_dec, a.parallax,
    a.ra_err::float8, a.dec_err::float8, a.parallax_err::float8, a.pm_ra_err::float8, a.pm_dec_err::float8,
    s.parallax_zero_err::float8, s.pm_zero_err::float8,
    a.n_rejected / greatest(a.n_epoch + a.n_rejected, 1)::float8 AS rejected,
    o.ra AS known_ra, o.dec AS known_dec, o.ref_epoch AS known_ref_epoch, o.pm_ra::float8 AS known_pm_ra,
    o.pm_dec::float8 AS known_pm_dec, o.parallax::float8 AS known_parallax, o.ra_err::float8 AS known_ra_err,
    o.dec_err::float8 AS known_dec_err, o.parallax_err::float8 AS known_parallax_err,
    o.pm_ra_err::float8 AS known_pm_ra_err, o.pm_dec_err::float8 AS known_pm_dec_err
FROM roman.object_astrometry AS a
JOIN roman.astrometric_solution AS s USING (astrometric_solution_id)
JOIN roman.object AS o ON o.object_id = a.object_id
WHERE
    a.astrometric_solution_id = CAST(:astrometric_solution_id AS bigint) AND s.superseded_at IS NULL
    AND a.season = CAST(:season AS smallint) AND a.photometry_kind = CAST(:photometry_kind AS text)
    AND a.object_id >= CAST(:first AS bigint) AND a.object_id < CAST(:end AS bigint)
    AND a.status = 'five_parameters'
ORDER BY a.object_id
