-- Upsert the staged sources as objects: what changes goes into the history first, what is unknown keeps its value.
-- Grain: one row: how many objects are new, changed, and unchanged.
-- Reads: staged_source (temporary), roman.object.
-- Writes: roman.object, roman.object_history.
-- Parameters:
--   version: catalog version that this is
--   load_run_id: run that writes
-- Note: what an astrometric solution said stays, unless a source has smaller errors: of the motion, or of the position
--   where it has no motion.
WITH source AS (
    SELECT
        s.*,
        o.astrometric_solution_id IS NOT NULL
        AND NOT coalesce(
            CASE
                WHEN s.pm_ra IS NULL THEN greatest(s.ra_err, s.dec_err) < greatest(o.ra_err, o.dec_err)
                ELSE greatest(s.pm_ra_err, s.pm_dec_err) < greatest(o.pm_ra_err, o.pm_dec_err)
            END, FALSE
        ) AS is_worse
    FROM pg_temp.staged_source AS s
    LEFT JOIN roman.object AS o ON o.object_id = s.object_id
),

given AS (
    SELECT
        s.object_id, s.ra, s.dec, s.ref_epoch,
        coalesce(s.ra_err, o.ra_err) AS ra_err, coalesce(s.dec_err, o.dec_err) AS dec_err,
        coalesce(s.pm_ra, o.pm_ra) AS pm_ra, coalesce(s.pm_dec, o.pm_dec) AS pm_dec,
        coalesce(s.pm_ra_err, o.pm_ra_err) AS pm_ra_err, coalesce(s.pm_dec_err, o.pm_dec_err) AS pm_dec_err,
        coalesce(s.parallax, o.parallax) AS parallax, coalesce(s.parallax_err, o.parallax_err) AS parallax_err,
        CASE WHEN s.pm_ra IS NULL THEN o.astrometric_solution_id END AS astrometric_solution_id,
        o.object_id IS NULL AS is_new,
        NOT s.is_worse AND ((s.ra, s.dec, s.ref_epoch) IS DISTINCT FROM (o.ra, o.dec, o.ref_epoch)
        OR coalesce(s.ra_err, o.ra_err) IS DISTINCT FROM o.ra_err
        OR coalesce(s.dec_err, o.dec_err) IS DISTINCT FROM o.dec_err
        OR coalesce(s.pm_ra, o.pm_ra) IS DISTINCT FROM o.pm_ra
        OR coalesce(s.pm_dec, o.pm_dec) IS DISTINCT FROM o.pm_dec
        OR coalesce(s.pm_ra_err, o.pm_ra_err) IS DISTINCT FROM o.pm_ra_err
        OR coalesce(s.pm_dec_err, o.pm_dec_err) IS DISTINCT FROM o.pm_dec_err
        OR coalesce(s.parallax, o.parallax) IS DISTINCT FROM o.parallax
        OR coalesce(s.parallax_err, o.parallax_err) IS DISTINCT FROM o.parallax_err) AS differs
    FROM source AS s
    LEFT JOIN roman.object AS o ON o.object_id = s.object_id
),

kept AS (
    INSERT INTO roman.object_history (
        object_id, replaced_by, ra, dec, ra_err, dec_err, ref_epoch, pm_ra, pm_dec, pm_ra_err, pm_dec_err,
        parallax, parallax_err, astrometric_solution_id, catalog_version_id, load_run_id
    )
    SELECT
        o.object_id, CAST(:version AS bigint), o.ra, o.dec, o.ra_err, o.dec_err, o.ref_epoch, o.pm_ra, o.pm_dec,
        o.pm_ra_err, o.pm_dec_err, o.parallax, o.parallax_err, o.astrometric_solution_id, o.catalog_version_id,
        o.load_run_id
    FROM roman.object AS o
    JOIN given AS g ON g.object_id = o.object_id
    WHERE g.differs AND NOT g.is_new
),

written AS (
    INSERT INTO roman.object AS o (
        object_id, ra, dec, ra_err, dec_err, ref_epoch, pm_ra, pm_dec, pm_ra_err, pm_dec_err,
        parallax, parallax_err, astrometric_solution_id, first_catalog_version_id, catalog_version_id, load_run_id
    )
    SELECT
        object_id, ra, dec, ra_err, dec_err, ref_epoch, pm_ra, pm_dec, pm_ra_err, pm_dec_err,
        parallax, parallax_err, astrometric_solution_id, CAST(:version AS bigint), CAST(:version AS bigint),
        CAST(:load_run_id AS bigint)
    FROM given
    WHERE differs
    ORDER BY object_id
    ON CONFLICT (object_id) DO UPDATE SET
        ra = excluded.ra, dec = excluded.dec, ra_err = excluded.ra_err, dec_err = excluded.dec_err,
        ref_epoch = excluded.ref_epoch, pm_ra = excluded.pm_ra, pm_dec = excluded.pm_dec,
        pm_ra_err = excluded.pm_ra_err, pm_dec_err = excluded.pm_dec_err, parallax = excluded.parallax,
        parallax_err = excluded.parallax_err, astrometric_solution_id = excluded.astrometric_solution_id,
        catalog_version_id = excluded.catalog_version_id,
        load_run_id = excluded.load_run_id
)

SELECT
    count(*) FILTER (WHERE is_new) AS n_new,
    count(*) FILTER (WHERE differs AND NOT is_new) AS n_changed,
    count(*) FILTER (WHERE NOT differs) AS n_unchanged
FROM given
