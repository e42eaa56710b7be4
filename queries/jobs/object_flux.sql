-- Upsert the fluxes of the staged sources: what changes goes into the history first.
-- Grain: one row: how many fluxes are new or changed.
-- Reads: staged_source, staged_flux (temporary), roman.object_flux.
-- Writes: roman.object_flux, roman.object_flux_history.
-- Parameters:
--   version: catalog version that this is
--   load_run_id: run that writes
WITH given AS (
    SELECT s.object_id, f.optical_element, f.psf_flux, f.psf_flux_err, o.object_id IS NOT NULL AS is_known
    FROM pg_temp.staged_flux AS f
    JOIN pg_temp.staged_source AS s ON s.n = f.n
    LEFT JOIN roman.object_flux AS o ON o.object_id = s.object_id AND o.optical_element = f.optical_element
    WHERE (f.psf_flux, f.psf_flux_err) IS DISTINCT FROM (o.psf_flux, o.psf_flux_err)
),

kept AS (
    INSERT INTO roman.object_flux_history (
        object_id, optical_element, replaced_by, psf_flux, psf_flux_err, catalog_version_id, load_run_id
    )
    SELECT
        o.object_id, o.optical_element, CAST(:version AS bigint), o.psf_flux, o.psf_flux_err,
        o.catalog_version_id, o.load_run_id
    FROM roman.object_flux AS o
    JOIN given AS g ON g.object_id = o.object_id AND g.optical_element = o.optical_element
    WHERE g.is_known
),

written AS (
    INSERT INTO roman.object_flux (
        object_id, optical_element, psf_flux, psf_flux_err, catalog_version_id, load_run_id
    )
    SELECT
        object_id, optical_element, psf_flux, psf_flux_err, CAST(:version AS bigint), CAST(:load_run_id AS bigint)
    FROM given
    ORDER BY object_id
    ON CONFLICT (object_id, optical_element) DO UPDATE SET
        psf_flux = excluded.psf_flux, psf_flux_err = excluded.psf_flux_err,
        catalog_version_id = excluded.catalog_version_id, load_run_id = excluded.load_run_id
)

SELECT count(*) AS n_written
FROM given
