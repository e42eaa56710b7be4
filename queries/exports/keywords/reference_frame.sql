-- Keywords of RAD's schema for the current reference image of a field, detector and optical element, and its file.
-- Reads: roman.field, roman.season, roman.reference_image, roman.reference_image_exposure, roman.reference_image_part,
--   roman.exposure, roman.visit, roman.program
-- Grain: one row, or none where there is no such image
-- Parameters:
--   season: season of the survey, from 1
--   field: name of the field
--   detector: detector, such as WFI07
--   element: optical element, such as F146
--   sequence: period of eight days in which the days of the image begin, from 1; NULL for the image of the season
WITH scope AS (
    SELECT f.field_id, f.name, f.ra, f.dec, f.radius, s.start_mjd, s.end_mjd
    FROM roman.field f
    JOIN roman.season s ON s.survey = f.survey AND s.season = CAST(:season AS smallint)
    WHERE f.name = CAST(:field AS text)
), image AS (
    SELECT r.*
    FROM scope
    JOIN roman.reference_image r
        ON r.field_id = scope.field_id AND r.start_mjd >= scope.start_mjd AND r.start_mjd < scope.end_mjd
    WHERE r.detector = CAST(:detector AS text) AND r.optical_element = CAST(:element AS text)
        AND r.superseded_at IS NULL
        AND CASE WHEN CAST(:sequence AS integer) IS NULL THEN r.reference_kind = 'season'
                 ELSE r.reference_kind = 'span'
                      AND (r.start_mjd - scope.start_mjd) / 8 + 1 = CAST(:sequence AS integer) END
    ORDER BY r.start_mjd DESC LIMIT 1
), part AS (
    SELECT reference_image_id FROM image
    UNION
    SELECT p.part_reference_image_id
    FROM image JOIN roman.reference_image_part p USING (reference_image_id) WHERE p.is_used
), exposed AS (
    SELECT e.*, v.program
    FROM roman.exposure e
    JOIN roman.visit v USING (visit_id)
    WHERE e.exposure_id IN (
        SELECT x.exposure_id FROM part JOIN roman.reference_image_exposure x USING (reference_image_id) WHERE x.is_used
    )
), observed AS (
    SELECT CASE WHEN count(DISTINCT program) = 1 THEN min(program) END AS program,
           min(exposure_start_time) AS expstart, max(exposure_end_time) AS expend,
           (round(atan2d(sum(sind(coalesce(roll_ref, pa_v3))), sum(cosd(coalesce(roll_ref, pa_v3)))) / 90)::integer
            * 90 + 360) % 360 AS flip
    FROM exposed
)
SELECT p.program, p.program_category AS category, p.program_subcategory AS subcategory, o.flip,
       q3c_dist(scope.ra, scope.dec, 266.416817, -29.007825) <= scope.radius AS gal_cen_flag,
       scope.ra AS ra_field_cen, scope.dec AS dec_field_cen, 'ICRS' AS ref_frame, 2000.0 AS equinox,
       format('f%s', lpad(coalesce(substring(scope.name, '-(\d+)$'), scope.field_id::text), 2, '0')) AS field,
       r.detector, r.optical_element,
       format('e%s', lpad(((r.end_mjd - 1 - scope.start_mjd) / 8 + 1)::text, 2, '0')) AS sequence,
       r.exposure_time AS exptime, o.expstart, o.expend,
       (extract(epoch FROM o.expstart) / 86400 + 40587)::double precision AS expstart_mjd,
       (extract(epoch FROM o.expend) / 86400 + 40587)::double precision AS expend_mjd,
       ivoa.image_outline(r.ra_ref, r.dec_ref, r.n_x, r.n_y, r.rotation_matrix) AS s_region,
       r.path AS file_path, r.sha256 AS file_sha256
FROM scope CROSS JOIN image r CROSS JOIN observed o LEFT JOIN roman.program p ON p.program = o.program
