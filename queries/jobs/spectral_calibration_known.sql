-- Find what spectra of other telescopes say of objects near exposures: fluxes of standards, redshifts of galaxies.
-- Grain: one row a spectrum.
-- Reads: roman.exposure, roman.spectrum, roman.redshift.
-- Parameters:
--   exposure_id: the exposures
--   radius: how far from their middles spectra count, deg
SELECT DISTINCT
    s.spectrum_id, s.object_id, s.file_id, s.spectrum_name, s.flux_is_absolute, r.class_name, r.z, r.reliability
FROM unnest(CAST(:exposure_id AS bigint [])) AS chosen (exposure_id)
JOIN roman.exposure AS e ON e.exposure_id = chosen.exposure_id
JOIN roman.spectrum AS s ON q3c_join(e.ra, e.dec, s.ra, s.dec, CAST(:radius AS double precision))
JOIN roman.redshift AS r ON r.spectrum_id = s.spectrum_id
WHERE s.superseded_at IS NULL AND s.file_id IS NOT NULL AND s.object_id IS NOT NULL
ORDER BY s.spectrum_id
