-- Other redshifts that a spectrum may have, the likelier first.
-- Reads: roman.redshift_alternative
-- Grain: one row a redshift
-- Parameters:
--   spectrum_id: identifier of the spectrum
SELECT a.rank, a.class_name, a.subclass, a.z, a.z_err, a.probability, a.chi2
FROM roman.redshift_alternative AS a
WHERE a.spectrum_id = CAST(:spectrum_id AS bigint)
ORDER BY a.rank;
