-- Give the staged objects the positions, motions and parallaxes of a solution; what was known goes into the history.
-- Grain: one row: how many objects changed.
-- Reads: staged_astrometry (temporary), roman.object.
-- Writes: roman.object, roman.object_history.
-- Parameters:
--   version: catalog version that this is
--   astrometric_solution_id: the solution
--   load_run_id: run that writes
WITH kept AS (
    INSERT INTO roman.object_history (
        object_id, replaced_by, ra, dec, ra_err, dec_err, ref_epoch, pm_ra, pm_dec, pm_ra_err, pm_dec_err,
        parallax, parallax_err, astrometric_solution_id, catalog_version_id, load_run_id
    )
    SELECT
        o.object_id, CAST(:version AS bigint), o.ra, o.dec, o.ra_err, o.dec_err, o.ref_epoch, o.pm_ra, o.pm_dec,
        o.pm_ra_err, o.pm_dec_err, o.parallax, o.parallax_err, o.astrometric_solution_id, o.catalog_version_id,
        o.load_run_id
    FROM roman.object AS o
    JOIN pg_temp.staged_astrometry AS s ON s.object_id = o.object_id
),

written AS (
    UPDATE roman.object AS o SET
        ra = s.ra, dec = s.dec, ra_err = s.ra_err, dec_err = s.dec_err, ref_epoch = s.ref_epoch, pm_ra = s.pm_ra,
        pm_dec = s.pm_dec, pm_ra_err = s.pm_ra_err, pm_dec_err = s.pm_dec_err, parallax = s.parallax,
        parallax_err = s.parallax_err, astrometric_solution_id = CAST(:astrometric_solution_id AS bigint),
        catalog_version_id = CAST(:version AS bigint), load_run_id = CAST(:load_run_id AS bigint)
    FROM pg_temp.staged_astrometry AS s
    WHERE s.object_id = o.object_id
    RETURNING o.object_id
)

SELECT count(*) AS n_changed FROM written
