-- Astrometric solutions of one object.
-- Grain: one row a season (0: all) and kind of photometry
-- Parameters:
--   object_id: identifier of the object
SELECT a.season, a.photometry_kind, a.status, a.ref_epoch, a.parallax, a.parallax_err, a.pm_ra, a.pm_ra_err,
       a.pm_dec, a.pm_dec_err, a.reduced_chi2, a.n_epoch, a.n_rejected
FROM roman.object_astrometry AS a WHERE a.object_id = CAST(:object_id AS bigint)
ORDER BY a.season, a.photometry_kind;
