-- Find the spans of days of which a reference image is to be made: complete ones whose exposures are not those of
-- the current image, or that have none, or one with the PSF of the optics although one was measured since. Spans
-- count from the begin of the season, or from the first exposure of a field out of season. Elements observed at least
-- hourly have spans of 8 days, the others one of the season. A span is complete when there is an exposure after it, or
-- its end, or that of the season, is past; one of all exposures out of season never is.
-- Files that could not be read are no exposures of an image, so that their span is listed until they can: made_of has
-- the files of the current image, is_forced says whether it is to be made again whatever they are.
-- Grain: one row a field, detector, optical element and span.
-- Reads: roman.exposure, roman.field, roman.season, roman.cadence, roman.optical_element, roman.reference_image,
--   roman.reference_image_exposure, roman.psf_model.
-- Writes: nothing.
-- Parameters:
--   detector: only this detector; all if empty
--   optical_element: only this optical element; all if empty
--   unfinished: also spans that have not ended
--   redo: also spans whose image is current
--   min_star: fewest stars of a PSF that is used
--   max_chi2: largest reduced chi-square of a PSF that is used
--   max_residual: or what it may leave of bright stars, as a fraction of their light
WITH placed AS (
    SELECT
        e.exposure_id, e.file_id, e.field_id, e.detector, e.optical_element, e.day_mjd, e.midpoint_mjd_tdb,
        f.name AS field, s.season,
        coalesce(s.start_mjd, min(e.day_mjd) OVER (PARTITION BY e.field_id)) AS first_mjd,
        coalesce(s.end_mjd, max(e.day_mjd) OVER (PARTITION BY e.field_id) + 1) AS last_mjd,
        max(e.day_mjd) OVER (PARTITION BY e.field_id) AS newest_mjd,
        exists(
            SELECT 1 FROM roman.cadence AS c
            WHERE
                c.survey = coalesce(f.survey, c.survey) AND c.optical_element = e.optical_element
                AND c.interval_minutes <= 60
        ) AS is_frequent
    FROM roman.exposure AS e
    JOIN roman.optical_element AS o ON o.optical_element = e.optical_element AND o.kind = 'imaging'
    JOIN roman.field AS f ON f.field_id = e.field_id
    LEFT JOIN roman.season AS s
        ON s.survey = f.survey AND e.day_mjd >= s.start_mjd AND e.day_mjd < s.end_mjd
    WHERE
        e.detector = coalesce(CAST(:detector AS text), e.detector)
        AND e.optical_element = coalesce(CAST(:optical_element AS text), e.optical_element)
),

spanned AS (
    SELECT
        *,
        CASE WHEN is_frequent THEN first_mjd + (day_mjd - first_mjd) / 8 * 8 ELSE first_mjd END AS start_mjd,
        CASE WHEN is_frequent THEN first_mjd + (day_mjd - first_mjd) / 8 * 8 + 8 ELSE last_mjd END AS end_mjd
    FROM placed
),

wanted AS (
    SELECT
        field_id, field, detector, optical_element, season, start_mjd, end_mjd,
        (start_mjd - min(first_mjd)) / 8 + 1 AS sequence,
        array_agg(exposure_id ORDER BY midpoint_mjd_tdb) AS exposure_id,
        array_agg(file_id ORDER BY midpoint_mjd_tdb) AS file_id
    FROM spanned
    GROUP BY field_id, field, detector, optical_element, season, start_mjd, end_mjd
    HAVING
        CAST(:unfinished AS boolean) OR max(newest_mjd) >= end_mjd
        OR (
            (season IS NOT NULL OR bool_and(is_frequent))
            AND to_timestamp(
                (least(end_mjd, CASE WHEN season IS NOT NULL THEN max(last_mjd) END) - 40587) * 86400.0
            ) <= now()
        )
)

SELECT w.*, made.file_id AS made_of, forced.is_forced
FROM wanted AS w
LEFT JOIN LATERAL (
    SELECT array_agg(m.file_id ORDER BY e.midpoint_mjd_tdb) AS file_id
    FROM roman.reference_image AS r
    JOIN roman.reference_image_exposure AS m ON m.reference_image_id = r.reference_image_id
    JOIN roman.exposure AS e ON e.exposure_id = m.exposure_id
    WHERE
        r.superseded_at IS NULL AND r.reference_kind = 'span' AND r.field_id = w.field_id
        AND r.detector = w.detector AND r.optical_element = w.optical_element AND r.start_mjd = w.start_mjd
) AS made ON TRUE
CROSS JOIN LATERAL (
    SELECT CAST(:redo AS boolean) OR EXISTS (
        SELECT 1
        FROM roman.reference_image AS r
        JOIN roman.psf_model AS p ON p.detector = r.detector AND p.optical_element = r.optical_element
        WHERE
            r.superseded_at IS NULL AND r.reference_kind = 'span' AND r.field_id = w.field_id
            AND r.detector = w.detector AND r.optical_element = w.optical_element AND r.start_mjd = w.start_mjd
            AND r.psf_model_id IS NULL AND p.superseded_at IS NULL
            AND p.epoch_mjd_tdb >= r.start_mjd AND p.epoch_mjd_tdb < r.end_mjd
            AND p.n_star >= CAST(:min_star AS integer)
            AND (
                p.reduced_chi2 <= CAST(:max_chi2 AS double precision)
                OR p.residual_fraction <= CAST(:max_residual AS double precision)
            )
    ) AS is_forced
) AS forced
WHERE forced.is_forced OR w.file_id IS DISTINCT FROM made.file_id
ORDER BY w.start_mjd, w.field_id, w.detector, w.optical_element
