-- Proper motion and parallax of a star as each season and the whole survey have them, beside what is catalogued.
-- Question: how does my star move, and how far is it?
-- Parameters:
--   object_id: identifier of the object
-- Note: season 0 is the whole survey. Zero points of a solution are shared by all stars of its piece of the sky and
--   are empty where no anchors fix them: then motions and parallaxes are relative to the mean of other stars.
SELECT
    a.season, a.photometry_kind, a.status, a.ref_epoch, a.ra, a.dec, a.pm_ra, a.pm_ra_err, a.pm_dec, a.pm_dec_err,
    a.parallax, a.parallax_err, a.n_epoch, a.n_rejected, a.reduced_chi2, s.pm_zero_err, s.parallax_zero_err,
    o.pm_ra AS catalogued_pm_ra, o.pm_dec AS catalogued_pm_dec, o.parallax AS catalogued_parallax
FROM roman.object_astrometry AS a
JOIN roman.astrometric_solution AS s USING (astrometric_solution_id)
JOIN roman.object AS o ON o.object_id = a.object_id
WHERE a.object_id = CAST(:object_id AS bigint)
ORDER BY a.season, a.photometry_kind;
