-- Extractions without a row for each object, spectra without arrays or a reason, combined ones without all their parts.
WITH stored AS (
    SELECT spectral_extraction_id, count(*) AS n_source, count(*) FILTER (WHERE n_pixel > 0) AS n_extracted
    FROM roman.exposure_spectrum
    GROUP BY spectral_extraction_id
)

SELECT 'rows are missing' AS fault, x.spectral_extraction_id AS identifier, x.n_source AS number
FROM roman.spectral_extraction AS x
LEFT JOIN stored AS s ON s.spectral_extraction_id = x.spectral_extraction_id
WHERE (x.n_source, x.n_extracted) IS DISTINCT FROM (coalesce(s.n_source, 0), coalesce(s.n_extracted, 0))
UNION ALL
SELECT 'arrays are of different lengths', spectral_extraction_id, object_id
FROM roman.exposure_spectrum
WHERE n_pixel <> ANY(ARRAY[
    cardinality(wavelength), cardinality(flux), cardinality(flux_err), cardinality(contamination)
])
UNION ALL
SELECT 'neither a spectrum nor a reason, or both', spectral_extraction_id, object_id
FROM roman.exposure_spectrum
WHERE (n_pixel = 0) <> (reason IS NOT NULL)
UNION ALL
SELECT 'an unknown flag', s.spectral_extraction_id, s.object_id
FROM roman.exposure_spectrum AS s
CROSS JOIN (SELECT coalesce(sum(1 << bit), 0) AS bits FROM roman.spectrum_flag) AS f
WHERE s.warning & ~CAST(f.bits AS int) <> 0
UNION ALL
SELECT 'its parts are others', s.spectrum_id, s.n_exposure
FROM roman.spectrum AS s
WHERE s.file_id IS NULL AND s.n_exposure <> (
    SELECT count(*)
    FROM roman.spectrum_part AS p
    JOIN roman.exposure_spectrum AS e
        ON e.spectral_extraction_id = p.spectral_extraction_id AND e.object_id = s.object_id AND e.n_pixel > 0
    WHERE p.spectrum_id = s.spectrum_id
)
UNION ALL
SELECT 'a spectrum without a redshift row', s.spectrum_id, 0
FROM roman.spectrum AS s
WHERE NOT EXISTS (SELECT FROM roman.redshift AS r WHERE r.spectrum_id = s.spectrum_id)
