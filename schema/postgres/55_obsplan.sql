-- ObsLocTAP 1.0: what was observed when, one row a visit in an optical element; what its columns mean stands in
-- schema/views/obsplan.yaml. An exposure of the instrument is one of each of its detectors.
CREATE OR REPLACE VIEW ivoa.obsplan AS
SELECT adql.modified_julian_date(r.started_at) AS t_planning, d.name AS target_name, v.visit_id AS obs_id,
       'roman_wfi'::text AS obs_collection, v.ra AS s_ra, v."dec" AS s_dec, 0.89::double precision AS s_fov,
       NULL::text AS s_region, 0.09 * o.wavelength_pivot AS s_resolution,
       adql.modified_julian_date(v.start_time) AS t_min, adql.modified_julian_date(v.end_time) AS t_max,
       v.exposure_time AS t_exptime, v.shortest_time AS t_resolution, 1e-6 * o.wavelength_min AS em_min,
       1e-6 * o.wavelength_max AS em_max, o.wavelength_pivot / (o.wavelength_max - o.wavelength_min) AS em_res_power,
       'phot.flux'::text AS o_ucd, NULL::text AS pol_states, 0::bigint AS pol_xel, 'Roman'::text AS facility_name,
       'WFI'::text AS instrument_name, NULL::double precision AS t_plan_exptime, 'Fixed'::text AS category,
       1 AS priority, 'Performed'::text AS execution_status, 'Sidereal'::text AS tracking_type,
       v.optical_element, v.n_exposure
FROM (
    SELECT visit_id, optical_element, field_id, min(load_run_id) AS load_run_id, min(start_time) AS start_time,
           max(end_time) AS end_time, sum(exposure_time) AS exposure_time, min(exposure_time) AS shortest_time,
           mod(atan2d(avg(sin_ra), avg(cos_ra))::numeric + 360, 360)::double precision AS ra, avg("dec") AS "dec",
           count(*) AS n_exposure
    FROM (
        SELECT visit_id, optical_element, field_id, exposure, min(load_run_id) AS load_run_id,
               min(exposure_start_time) AS start_time, max(exposure_end_time) AS end_time,
               max(coalesce(effective_exposure_time, exposure_time,
                            extract(epoch FROM exposure_end_time - exposure_start_time))) AS exposure_time,
               avg(sind(ra)) AS sin_ra, avg(cosd(ra)) AS cos_ra, avg("dec") AS "dec"
        FROM roman.exposure
        GROUP BY visit_id, optical_element, field_id, exposure
    ) AS taken
    GROUP BY visit_id, optical_element, field_id
) AS v
JOIN roman.field d USING (field_id)
JOIN roman.optical_element o ON o.optical_element = v.optical_element
JOIN ops.load_run r ON r.load_run_id = v.load_run_id;
