-- Find the mosaics of fields: of each detector the image of the season, or where there is none that of the span with
-- most exposures; and the mosaic that there is of these very images.
-- Grain: one row a field, optical element and season.
-- Reads: roman.reference_image, roman.field, roman.season, roman.field_mosaic, roman.field_mosaic_part.
-- Writes: nothing.
-- Parameters:
--   survey: whose seasons count where a field is of no survey
--   first_day: first day (MJD) of the seasons
--   last_day: day after their last
--   optical_element: only this optical element; all if empty
WITH image AS (
    SELECT DISTINCT ON (r.field_id, r.optical_element, s.season, r.detector)
        r.field_id, r.optical_element, s.season, r.detector, s.start_mjd, s.end_mjd, r.reference_image_id
    FROM roman.reference_image AS r
    JOIN roman.field AS f ON f.field_id = r.field_id
    JOIN roman.season AS s ON s.survey = coalesce(f.survey, CAST(:survey AS text))
        AND r.start_mjd >= s.start_mjd AND r.start_mjd < s.end_mjd
    WHERE
        r.superseded_at IS NULL
        AND s.start_mjd >= CAST(:first_day AS integer) AND s.start_mjd < CAST(:last_day AS integer)
        AND r.optical_element = coalesce(CAST(:optical_element AS text), r.optical_element)
    ORDER BY
        r.field_id, r.optical_element, s.season, r.detector, r.reference_kind = 'season' DESC, r.n_exposure DESC,
        r.start_mjd
),

wanted AS (
    SELECT
        field_id, optical_element, season, start_mjd, end_mjd,
        array_agg(reference_image_id ORDER BY detector) AS reference_image_id
    FROM image
    GROUP BY field_id, optical_element, season, start_mjd, end_mjd
)

SELECT
    w.field_id, f.name AS field, f.ra, f.dec, w.optical_element, w.season, w.start_mjd, w.end_mjd, w.reference_image_id,
    made.path
FROM wanted AS w
JOIN roman.field AS f ON f.field_id = w.field_id
LEFT JOIN LATERAL (
    SELECT m.path, array_agg(p.reference_image_id ORDER BY r.detector) AS reference_image_id
    FROM roman.field_mosaic AS m
    JOIN roman.field_mosaic_part AS p ON p.field_mosaic_id = m.field_mosaic_id
    JOIN roman.reference_image AS r ON r.reference_image_id = p.reference_image_id
    WHERE
        m.superseded_at IS NULL AND m.field_id = w.field_id AND m.optical_element = w.optical_element
        AND m.start_mjd = w.start_mjd
    GROUP BY m.field_mosaic_id, m.path
) AS made ON made.reference_image_id = w.reference_image_id
ORDER BY w.start_mjd, w.field_id, w.optical_element
