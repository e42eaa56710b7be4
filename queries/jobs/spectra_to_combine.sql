-- Find the objects whose combined spectrum is not of their current spectra on exposures: of extractions that are new, or
-- that others took the place of, since the spectra of all their objects were combined.
-- Grain: one row an object, optical element and extraction that makes it due.
-- Reads: roman.exposure_spectrum, roman.spectral_extraction, roman.exposure, roman.spectrum, roman.spectrum_part.
-- Parameters:
--   optical_element: GRISM or PRISM, or null for both
--   first_object = -9223372036854775808: first of a range of objects
--   last_object = 9223372036854775807: last of the range
--   redo = false: whether those are listed, too, whose combined spectrum is of the current ones
WITH changed AS (
    SELECT x.spectral_extraction_id, x.superseded_at IS NULL AS is_current, e.optical_element
    FROM roman.spectral_extraction AS x
    JOIN roman.exposure AS e ON e.exposure_id = x.exposure_id
    WHERE
        (x.combined_at IS NULL OR CAST(:redo AS bool))
        AND e.optical_element = coalesce(CAST(:optical_element AS text), e.optical_element)
)

SELECT s.object_id, c.optical_element, c.spectral_extraction_id
FROM changed AS c
JOIN roman.exposure_spectrum AS s ON s.spectral_extraction_id = c.spectral_extraction_id
WHERE
    c.is_current
    AND s.n_pixel > 0
    AND s.object_id BETWEEN CAST(:first_object AS bigint) AND CAST(:last_object AS bigint)
    AND (
        CAST(:redo AS bool)
        OR NOT EXISTS (
            SELECT FROM roman.spectrum AS t
            JOIN roman.spectrum_part AS p ON p.spectrum_id = t.spectrum_id
            WHERE
                t.object_id = s.object_id AND t.optical_element = c.optical_element AND t.superseded_at IS NULL
                AND p.spectral_extraction_id = c.spectral_extraction_id
        )
    )
UNION ALL
SELECT t.object_id, t.optical_element, c.spectral_extraction_id
FROM changed AS c
JOIN roman.spectrum_part AS p ON p.spectral_extraction_id = c.spectral_extraction_id
JOIN roman.spectrum AS t ON t.spectrum_id = p.spectrum_id
WHERE
    NOT c.is_current
    AND t.superseded_at IS NULL
    AND t.object_id BETWEEN CAST(:first_object AS bigint) AND CAST(:last_object AS bigint)
