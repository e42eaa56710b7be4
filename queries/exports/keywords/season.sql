-- Keywords of RAD's schemas for what is known of a season of a survey, in all its fields.
-- Reads: roman.field, roman.season, roman.light_curve_block, roman.exposure, roman.visit, roman.program, roman.event,
--   roman.injection_run, ops.load_run
-- Grain: one row; what cannot be known is empty
-- Parameters:
--   season: season of the survey, from 1; 0 for all there is
--   survey: survey layout
--   kind: kind of photometry
--   code_version: version of this software, for what was not run
WITH scope AS (
    SELECT min(start_mjd) AS start_mjd, max(end_mjd) AS end_mjd
    FROM roman.season
    WHERE survey = CAST(:survey AS text) AND CAST(:season AS smallint) IN (0, season)
), block AS (
    SELECT b.field_id, b.exposure_id, b.load_run_id
    FROM roman.light_curve_block b
    JOIN scope ON b.start_mjd >= scope.start_mjd AND b.end_mjd <= scope.end_mjd
    WHERE b.photometry_kind = CAST(:kind AS text) AND b.superseded_at IS NULL AND b.field_id IS NOT NULL
), exposed AS (
    SELECT e.*, v.program
    FROM roman.exposure e
    JOIN roman.visit v USING (visit_id)
    WHERE e.exposure_id IN (SELECT unnest(block.exposure_id) FROM block)
), observed AS (
    SELECT CASE WHEN count(DISTINCT program) = 1 THEN min(program) END AS program,
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
       EXISTS (
           SELECT FROM roman.field f
           WHERE f.field_id IN (SELECT block.field_id FROM block)
               AND q3c_dist(f.ra, f.dec, 266.416817, -29.007825) <= f.radius
       ) AS gal_cen_flag,
       (SELECT array_agg(lower(piece) ORDER BY piece) FROM unnest(o.footprint) AS piece) AS footprint_first,
       (SELECT array_agg(upper(piece) ORDER BY piece) FROM unnest(o.footprint) AS piece) AS footprint_end
FROM observed o LEFT JOIN roman.program p ON p.program = o.program
