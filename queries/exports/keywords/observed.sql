-- Keywords of RAD's schemas for what was observed in one season of a field with a detector and an optical element.
-- Reads: roman.field, roman.season, roman.light_curve_block, roman.exposure, roman.visit, roman.program, roman.event,
--   roman.injection_run, ops.load_run
-- Grain: one row; what cannot be known is empty
-- Parameters:
--   season: season of the survey, from 1; 0 for all there is
--   field: name of the field
--   detector: detector, such as WFI07
--   element: optical element, such as F146
--   sequence: period of eight days of the season, from 1; NULL for all
--   kind: kind of photometry
--   code_version: version of this software, for what was not run
WITH scope AS (
    SELECT f.field_id, f.name, f.ra, f.dec, f.radius, f.survey, s.season, s.start_mjd AS season_start,
           s.start_mjd + coalesce(8 * (CAST(:sequence AS integer) - 1), 0) AS start_mjd,
           least(s.end_mjd, s.start_mjd + 8 * CAST(:sequence AS integer)) AS end_mjd
    FROM roman.field f
    LEFT JOIN roman.season s ON s.survey = f.survey AND s.season = CAST(:season AS smallint)
    WHERE f.name = CAST(:field AS text) AND (s.season IS NOT NULL OR CAST(:season AS smallint) = 0)
), block AS (
    SELECT b.block_id, b.exposure_id, b.end_mjd, b.load_run_id
    FROM roman.light_curve_block b
    JOIN scope ON b.field_id = scope.field_id AND b.start_mjd >= coalesce(scope.start_mjd, b.start_mjd)
        AND b.end_mjd <= coalesce(scope.end_mjd, b.end_mjd)
    WHERE b.detector = CAST(:detector AS text) AND b.optical_element = CAST(:element AS text)
        AND b.photometry_kind = CAST(:kind AS text) AND b.superseded_at IS NULL
), exposed AS (
    SELECT e.*, v.program
    FROM roman.exposure e
    JOIN roman.visit v USING (visit_id)
    WHERE e.exposure_id IN (SELECT unnest(block.exposure_id) FROM block)
), observed AS (
    SELECT CASE WHEN count(DISTINCT program) = 1 THEN min(program) END AS program,
           sum(exposure_time) AS exptime, min(exposure_start_time) AS expstart, max(exposure_end_time) AS expend,
           (round(atan2d(sum(sind(coalesce(roll_ref, pa_v3))), sum(cosd(coalesce(roll_ref, pa_v3)))) / 90)::integer
            * 90 + 360) % 360 AS flip,
           range_agg(footprint) AS footprint
    FROM exposed
)
SELECT p.program, p.program_category AS category, p.program_subcategory AS subcategory,
       coalesce(
           (SELECT r.code_version FROM block JOIN ops.load_run r USING (load_run_id) ORDER BY load_run_id DESC LIMIT 1),
           CAST(:code_version AS text)
       ) AS msos_photometry_version,
       coalesce(
           (
               SELECT r.code_version FROM roman.event v JOIN ops.load_run r USING (load_run_id)
               WHERE v.season = CAST(:season AS smallint) ORDER BY load_run_id DESC LIMIT 1
           ), CAST(:code_version AS text)
       ) AS msos_events_version,
       coalesce(
           (
               SELECT r.code_version FROM roman.injection_run i JOIN ops.load_run r USING (load_run_id)
               ORDER BY load_run_id DESC LIMIT 1
           ), CAST(:code_version AS text)
       ) AS msos_detection_efficiency_version,
       format('s%s', lpad(CAST(:season AS text), 2, '0')) AS season, o.flip,
       q3c_dist(scope.ra, scope.dec, 266.416817, -29.007825) <= scope.radius AS gal_cen_flag,
       scope.ra AS ra_field_cen, scope.dec AS dec_field_cen, 'ICRS' AS ref_frame, 2000.0 AS equinox,
       format('f%s', lpad(coalesce(substring(scope.name, '-(\d+)$'), scope.field_id::text), 2, '0')) AS field,
       CAST(:detector AS text) AS detector, CAST(:element AS text) AS optical_element,
       format(
           'e%s', lpad(
               (((SELECT max(end_mjd) FROM block) - 1
                 - coalesce(scope.season_start, (SELECT min(day_mjd) FROM exposed))) / 8 + 1)::text, 2, '0'
           )
       ) AS sequence,
       o.exptime, o.expstart, o.expend,
       (extract(epoch FROM o.expstart) / 86400 + 40587)::double precision AS expstart_mjd,
       (extract(epoch FROM o.expend) / 86400 + 40587)::double precision AS expend_mjd,
       (SELECT array_agg(lower(piece) ORDER BY piece) FROM unnest(o.footprint) AS piece) AS footprint_first,
       (SELECT array_agg(upper(piece) ORDER BY piece) FROM unnest(o.footprint) AS piece) AS footprint_end
FROM scope CROSS JOIN observed o LEFT JOIN roman.program p ON p.program = o.program
