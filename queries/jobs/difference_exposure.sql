-- Find the exposures that were not compared with a template of others yet, by the reference image that gives it:
-- their own, from which they are left out, or the most recent one that ended before them. Objects are known only on
-- images that were searched, be it that there are none. Exposures without either wait for one; those that did not fit
-- a reference image are left out for good.
-- Grain: one row a reference image and whether the exposures are its own; of exposures without one, one row a field,
--   detector, optical element and what they wait for (waits_for): image (there is none), search (of the image),
--   others (too few in their image), or misfit (they are left out).
-- Reads: roman.exposure, roman.optical_element, roman.field, roman.reference_image, roman.reference_image_exposure,
--   roman.reference_source, roman.difference_image, ops.task_run.
-- Writes: nothing.
-- Parameters:
--   first_day: only exposures from this day (MJD TDB)
--   last_day: to this day
--   detector: only this detector; all if empty
--   optical_element: only this optical element; all if empty
--   redo: also exposures that are compared
--   fewest: exposures that must remain in a reference image when one is left out
WITH chosen AS (
    SELECT e.exposure_id, e.file_id, e.field_id, e.detector, e.optical_element, e.day_mjd, e.midpoint_mjd_tdb,
        EXISTS (
            SELECT 1
            FROM roman.reference_image_exposure AS m
            JOIN roman.reference_image AS r ON r.reference_image_id = m.reference_image_id
            WHERE m.exposure_id = e.exposure_id AND m.file_id = e.file_id AND NOT m.is_used
            AND r.superseded_at IS NULL
        ) AS is_misfit
    FROM roman.exposure AS e
    JOIN roman.optical_element AS o ON o.optical_element = e.optical_element AND o.kind = 'imaging'
    WHERE
        e.day_mjd BETWEEN CAST(:first_day AS integer) AND CAST(:last_day AS integer)
        AND e.detector = coalesce(CAST(:detector AS text), e.detector)
        AND e.optical_element = coalesce(CAST(:optical_element AS text), e.optical_element)
        AND (
            CAST(:redo AS boolean)
            OR NOT EXISTS (
                SELECT 1 FROM roman.difference_image AS d
                WHERE d.exposure_id = e.exposure_id AND d.file_id = e.file_id AND d.superseded_at IS NULL
            )
        )
),

image AS (
    SELECT r.*, EXISTS (
            SELECT 1 FROM roman.reference_source AS s WHERE s.reference_image_id = r.reference_image_id
        ) OR EXISTS (
            SELECT 1 FROM ops.task_run AS t
            WHERE t.task = 'catalog' AND t.state = 'succeeded'
            AND CAST(t.arguments ->> 'reference_image_id' AS bigint) = r.reference_image_id
        ) AS is_searched
    FROM roman.reference_image AS r
    WHERE r.superseded_at IS NULL AND r.reference_kind = 'span'
),

given AS (
    SELECT c.*,
        CASE WHEN NOT c.is_misfit THEN coalesce(own.usable_id, earlier.usable_id) END AS reference_image_id,
        own.usable_id IS NOT NULL AND NOT c.is_misfit AS is_left_out,
        CASE
            WHEN c.is_misfit THEN 'misfit'
            WHEN coalesce(own.usable_id, earlier.usable_id) IS NOT NULL THEN NULL
            WHEN own.is_large OR earlier.reference_image_id IS NOT NULL THEN 'search'
            WHEN own.reference_image_id IS NOT NULL THEN 'others'
            ELSE 'image'
        END AS waits_for
    FROM chosen AS c
    LEFT JOIN LATERAL (
        SELECT r.reference_image_id, r.n_exposure > CAST(:fewest AS integer) AS is_large,
            CASE WHEN r.is_searched AND r.n_exposure > CAST(:fewest AS integer) THEN r.reference_image_id END
            AS usable_id
        FROM roman.reference_image_exposure AS m
        JOIN image AS r ON r.reference_image_id = m.reference_image_id
        WHERE m.exposure_id = c.exposure_id AND m.file_id = c.file_id AND m.is_used
        ORDER BY r.is_searched AND r.n_exposure > CAST(:fewest AS integer) DESC, r.start_mjd DESC
        LIMIT 1
    ) AS own ON TRUE
    LEFT JOIN LATERAL (
        SELECT r.reference_image_id, CASE WHEN r.is_searched THEN r.reference_image_id END AS usable_id
        FROM image AS r
        WHERE
            r.field_id = c.field_id AND r.detector = c.detector AND r.optical_element = c.optical_element
            AND r.end_mjd <= c.day_mjd
        ORDER BY r.is_searched DESC, r.end_mjd DESC
        LIMIT 1
    ) AS earlier ON TRUE
)

SELECT
    f.name AS field, g.field_id, g.detector, g.optical_element, g.reference_image_id, r.start_mjd, r.n_exposure,
    g.is_left_out, g.waits_for, avg(g.midpoint_mjd_tdb) AS epoch_mjd_tdb,
    array_agg(g.exposure_id ORDER BY g.midpoint_mjd_tdb) AS exposure_id
FROM given AS g
JOIN roman.field AS f ON f.field_id = g.field_id
LEFT JOIN roman.reference_image AS r ON r.reference_image_id = g.reference_image_id
GROUP BY
    f.name, g.field_id, g.detector, g.optical_element, g.reference_image_id, r.start_mjd, r.n_exposure,
    g.is_left_out, g.waits_for
ORDER BY min(g.midpoint_mjd_tdb), g.reference_image_id, g.is_left_out, g.waits_for
