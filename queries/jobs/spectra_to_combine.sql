-- Find the objects whose current spectra on exposures are not those of their combined spectrum.
-- Grain: one row an object and optical element.
-- Reads: roman.exposure_spectrum, roman.spectral_extraction, roman.exposure, roman.spectrum, roman.spectrum_part.
-- Parameters:
--   optical_element: GRISM or PRISM, or null for both
--   first_object = -9223372036854775808: first of a range of objects
--   last_object = 9223372036854775807: last of the range
--   redo = false: whether those are listed, too, whose combined spectrum is of the current ones
WITH now AS (
    SELECT
        s.object_id, e.optical_element,
        array_agg(s.spectral_extraction_id ORDER BY s.spectral_extraction_id) AS spectral_extraction_id
    FROM roman.exposure_spectrum AS s
    JOIN roman.spectral_extraction AS x ON x.spectral_extraction_id = s.spectral_extraction_id
    JOIN roman.exposure AS e ON e.exposure_id = x.exposure_id
    WHERE
        x.superseded_at IS NULL
        AND s.n_pixel > 0
        AND s.object_id BETWEEN CAST(:first_object AS bigint) AND CAST(:last_object AS bigint)
    GROUP BY s.object_id, e.optical_element
),

combined AS (
    SELECT
        s.object_id, s.optical_element,
        array_agg(p.spectral_extraction_id ORDER BY p.spectral_extraction_id) AS spectral_extraction_id
    FROM roman.spectrum AS s
    JOIN roman.spectrum_part AS p ON p.spectrum_id = s.spectrum_id
    WHERE
        s.superseded_at IS NULL
        AND s.object_id BETWEEN CAST(:first_object AS bigint) AND CAST(:last_object AS bigint)
    GROUP BY s.object_id, s.optical_element
)

SELECT object_id, optical_element, coalesce(now.spectral_extraction_id, '{}') AS spectral_extraction_id
FROM now
FULL JOIN combined USING (object_id, optical_element)
WHERE
    (CAST(:redo AS bool) OR now.spectral_extraction_id IS DISTINCT FROM combined.spectral_extraction_id)
    AND optical_element = coalesce(CAST(:optical_element AS text), optical_element)
ORDER BY optical_element, object_id
