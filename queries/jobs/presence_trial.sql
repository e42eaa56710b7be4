-- List what images say of objects: those that show them, and those that should and do not.
-- An image that was made again counts until the one in its place was searched.
-- Grain: one row an object and reference image, in order of object and time.
-- Reads: roman.reference_source, roman.reference_image.
-- Writes: nothing.
-- Parameters:
--   objects: identifiers of the objects, an array in the notation of PostgreSQL
--   promised: signal-to-noise ratio of rows that do not say what was promised
SELECT
    s.object_id,
    s.state IN ('known', 'new') AS is_seen,
    s.state = 'merged' AS is_beside,
    CAST(coalesce(s.psf_flux / s.psf_flux_err, s.expected_snr, CAST(:promised AS real)) AS double precision) AS snr
FROM roman.reference_source AS s
JOIN roman.reference_image AS r ON r.reference_image_id = s.reference_image_id
WHERE
    s.object_id = ANY(CAST(:objects AS bigint []))
    AND (
        r.superseded_at IS NULL
        OR NOT EXISTS (
            SELECT FROM roman.reference_image AS n
            WHERE
                (n.field_id, n.detector, n.optical_element, n.start_mjd, n.reference_kind)
                = (r.field_id, r.detector, r.optical_element, r.start_mjd, r.reference_kind)
                AND n.reference_image_id > r.reference_image_id
                AND EXISTS (
                    SELECT FROM roman.reference_source AS q WHERE q.reference_image_id = n.reference_image_id
                )
        )
    )
ORDER BY s.object_id, r.end_mjd, r.start_mjd DESC, s.reference_image_id
