-- What is to be known of the redshift of a spectrum, in words.
-- Reads: roman.redshift, roman.redshift_flag
-- Grain: one row a flag that is set
-- Parameters:
--   spectrum_id: identifier of the spectrum
SELECT f.name, f.description
FROM roman.redshift AS r JOIN roman.redshift_flag AS f ON r.warning & (1 << f.bit) <> 0
WHERE r.spectrum_id = CAST(:spectrum_id AS bigint)
ORDER BY f.bit;
