-- Find the seasons of which a reference image is to be made from those of their spans: of at least two, where the
-- current image of the season is not that of the current images of the spans.
-- Grain: one row a field, detector, optical element and season.
-- Reads: roman.reference_image, roman.reference_image_part, roman.field, roman.season.
-- Writes: nothing.
-- Parameters:
--   survey: whose seasons count where a field is of no survey
--   first_day: first day (MJD) of the seasons
--   last_day: day after their last
--   detector: only this detector; all if empty
--   optical_element: only this optical element; all if empty
--   redo: also seasons whose image is current
WITH wanted AS (
    SELECT
        r.field_id, f.name AS field, r.detector, r.optical_element, s.season, s.start_mjd, s.end_mjd,
        array_agg(r.reference_image_id ORDER BY r.start_mjd) AS reference_image_id
    FROM roman.reference_image AS r
    JOIN roman.field AS f ON f.field_id = r.field_id
    JOIN roman.season AS s ON s.survey = coalesce(f.survey, CAST(:survey AS text))
        AND r.start_mjd >= s.start_mjd AND r.start_mjd < s.end_mjd
    WHERE
        r.superseded_at IS NULL AND r.reference_kind = 'span'
        AND s.start_mjd >= CAST(:first_day AS integer) AND s.start_mjd < CAST(:last_day AS integer)
        AND r.detector = coalesce(CAST(:detector AS text), r.detector)
        AND r.optical_element = coalesce(CAST(:optical_element AS text), r.optical_element)
    GROUP BY r.field_id, f.name, r.detector, r.optical_element, s.season, s.start_mjd, s.end_mjd
    HAVING count(*) > 1
)

SELECT w.*
FROM wanted AS w
LEFT JOIN LATERAL (
    SELECT array_agg(p.part_reference_image_id ORDER BY b.start_mjd) AS reference_image_id
    FROM roman.reference_image AS r
    JOIN roman.reference_image_part AS p ON p.reference_image_id = r.reference_image_id
    JOIN roman.reference_image AS b ON b.reference_image_id = p.part_reference_image_id
    WHERE
        r.superseded_at IS NULL AND r.reference_kind = 'season' AND r.field_id = w.field_id
        AND r.detector = w.detector AND r.optical_element = w.optical_element AND r.start_mjd = w.start_mjd
) AS made ON TRUE
WHERE CAST(:redo AS boolean) OR w.reference_image_id IS DISTINCT FROM made.reference_image_id
ORDER BY w.start_mjd, w.field_id, w.detector, w.optical_element
