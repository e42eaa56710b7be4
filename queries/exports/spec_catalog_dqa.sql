-- Quality of the redshifts of a catalog, with its limits.
-- Grain: metric
-- Reads: roman.program_spectrum, roman.spectrum, roman.redshift, roman.stale_spectrum, ops.quality_limit
-- Parameters:
--   program: observing program
--   element: GRISM or PRISM
--   file_number: number of the file, from 1
WITH quality AS (
    SELECT count(*) AS n_spectrum, avg(CAST(r.z IS NOT NULL AS integer)) AS fitted, avg(r.reliability) AS reliability,
           avg(CAST(r.reliability > 0.9 AS integer)) AS reliable, avg((r.warning >> 6) & 1) AS ambiguous,
           avg((r.warning >> 8) & 1) AS poor, avg(s.n_exposure) AS n_exposure,
           avg(CAST(s.spectrum_id IN (SELECT t.spectrum_id FROM roman.stale_spectrum AS t) AS integer)) AS stale
    FROM roman.program_spectrum(CAST(:program AS integer), CAST(:element AS text)) AS p
    JOIN roman.spectrum AS s ON s.spectrum_id = p.spectrum_id
    JOIN roman.redshift AS r ON r.spectrum_id = s.spectrum_id
    WHERE p.file_number = CAST(:file_number AS integer)
), measured AS (
    SELECT m.metric, CAST(m.value AS double precision) AS value
    FROM quality AS q
    CROSS JOIN LATERAL (VALUES
        ('redshift_ambiguous_fraction', q.ambiguous), ('redshift_exposures_mean', q.n_exposure),
        ('redshift_fitted_fraction', q.fitted), ('redshift_poor_fit_fraction', q.poor),
        ('redshift_reliability_mean', q.reliability), ('redshift_reliable_fraction', q.reliable),
        ('redshift_spectra', q.n_spectrum), ('redshift_stale_fraction', q.stale)
    ) AS m (metric, value)
)
SELECT m.metric, m.value, l.lower, l.upper,
       CASE WHEN l.metric IS NULL THEN 'unlimited'
            WHEN m.value BETWEEN coalesce(l.lower, '-Infinity') AND coalesce(l.upper, 'Infinity') THEN 'good'
            ELSE l.severity END AS verdict
FROM measured AS m
LEFT JOIN LATERAL (
    SELECT * FROM ops.quality_limit AS q
    WHERE q.metric = m.metric AND q.optical_element IN (CAST(:element AS text), 'any')
    ORDER BY q.optical_element = 'any' LIMIT 1
) AS l ON true
ORDER BY m.metric
