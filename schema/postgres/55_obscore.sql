-- ObsCore 1.1: what there is, one row a product; what its columns mean stands in schema/views/obscore.yaml. Each part
-- gives columns of the same types, and places and footprints as they are stored, so that the planner takes conditions
-- into it and finds its indexes.

-- Address of the services, as ROMAN_DB_TAP_URL says; connections of services bring it along.
CREATE OR REPLACE FUNCTION ivoa.service_url() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT coalesce(nullif(current_setting('roman_db.service_url', true), ''), 'http://127.0.0.1:8080') $$;

-- Identifier of a product, and the address of its DataLink document. The names of products need no escapes in either.
CREATE OR REPLACE FUNCTION ivoa.publisher_did(product text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 'ivo://roman.ssc/msos?' || product $$;

CREATE OR REPLACE FUNCTION ivoa.data_link(product text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT ivoa.service_url() || '/datalink?ID=' || replace(ivoa.publisher_did(product), '?', '%3F') $$;

-- Outline of an image whose plane touches the sky in its middle. The matrix has arcseconds east per pixel along x and
-- y, then north (Calabretta & Greisen 2002, gnomonic projection).
CREATE OR REPLACE FUNCTION ivoa.image_outline(
    ra double precision, "dec" double precision, n_x integer, n_y integer, matrix double precision[]
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT 'POLYGON ICRS ' || string_agg(format('%s %s',
        round(mod((ra + atan2d(xi, cosd("dec") - eta * sind("dec")) + 360)::numeric, 360), 9),
        round(asind((sind("dec") + eta * cosd("dec")) / sqrt(1 + xi * xi + eta * eta))::numeric, 9)
    ), ' ' ORDER BY place)
    FROM (
        SELECT place, radians((matrix[1] * x * n_x + matrix[2] * y * n_y) / 7200) AS xi,
               radians((matrix[3] * x * n_x + matrix[4] * y * n_y) / 7200) AS eta
        FROM (VALUES (1, -1, -1), (2, 1, -1), (3, 1, 1), (4, -1, 1)) AS corner (place, x, y)
    ) AS plane
$$;

CREATE OR REPLACE VIEW ivoa.obscore AS
SELECT 'image'::text AS dataproduct_type, 'exposure'::text AS dataproduct_subtype, 2 AS calib_level,
       'roman_wfi'::text AS obs_collection, e.visit_id AS obs_id,
       ivoa.publisher_did('exposure/' || e.exposure_id) AS obs_publisher_did,
       format('%s exposure of %s in %s', e.optical_element, d.name, e.detector) AS obs_title,
       ivoa.data_link('exposure/' || e.exposure_id) AS access_url,
       'application/x-votable+xml;content=datalink'::text AS access_format,
       f.size_bytes / 1000 AS access_estsize, d.name AS target_name, e.ra AS s_ra, e.dec AS s_dec,
       sqrt(e.n_x::double precision ^ 2 + e.n_y::double precision ^ 2)
           * coalesce(degrees(sqrt(e.pixel_area)), 0.11 / 3600) AS s_fov,
       e.s_region, 0.09 * o.wavelength_pivot AS s_resolution, e.n_x::bigint AS s_xel1, e.n_y::bigint AS s_xel2,
       adql.modified_julian_date(e.exposure_start_time) AS t_min,
       adql.modified_julian_date(e.exposure_end_time) AS t_max,
       coalesce(e.effective_exposure_time, e.exposure_time) AS t_exptime,
       coalesce(e.effective_exposure_time, e.exposure_time) AS t_resolution, 1::bigint AS t_xel,
       1e-6 * o.wavelength_min AS em_min, 1e-6 * o.wavelength_max AS em_max,
       o.wavelength_pivot / (o.wavelength_max - o.wavelength_min) AS em_res_power, 1::bigint AS em_xel,
       'phot.flux'::text AS o_ucd, NULL::text AS pol_states, 0::bigint AS pol_xel, 'Roman'::text AS facility_name,
       'WFI'::text AS instrument_name, e.optical_element, e.detector, e.footprint
FROM roman.exposure e
JOIN roman.field d USING (field_id)
JOIN roman.optical_element o ON o.optical_element = e.optical_element
LEFT JOIN ops.input_file f USING (file_id)
UNION ALL
SELECT 'image'::text, 'reference_image'::text, 3, 'roman_wfi'::text, 'reference_image/' || r.reference_image_id,
       ivoa.publisher_did('reference_image/' || r.reference_image_id),
       format('%s reference image of %s in %s', r.optical_element, d.name, r.detector),
       ivoa.data_link('reference_image/' || r.reference_image_id), 'application/x-votable+xml;content=datalink'::text,
       r.size_bytes / 1000, d.name, r.ra_ref, r.dec_ref,
       sqrt(r.n_x::double precision ^ 2 + r.n_y::double precision ^ 2) * r.pixel_scale / 3600,
       ivoa.image_outline(r.ra_ref, r.dec_ref, r.n_x, r.n_y, r.rotation_matrix), r.psf_fwhm, r.n_x::bigint,
       r.n_y::bigint, r.start_mjd::double precision, r.end_mjd::double precision, r.exposure_time, NULL::double precision,
       1::bigint,
       1e-6 * o.wavelength_min, 1e-6 * o.wavelength_max,
       o.wavelength_pivot / (o.wavelength_max - o.wavelength_min), 1::bigint, 'phot.flux.density'::text, NULL::text,
       0::bigint, 'Roman'::text, 'WFI'::text,
       r.optical_element, r.detector, r.footprint
FROM roman.reference_image r
JOIN roman.field d USING (field_id)
JOIN roman.optical_element o ON o.optical_element = r.optical_element
WHERE r.superseded_at IS NULL
UNION ALL
SELECT 'measurements'::text, 'difference'::text, 4, 'roman_wfi'::text, e.visit_id,
       ivoa.publisher_did('difference_image/' || m.difference_image_id),
       format('Sources of the difference of a %s exposure of %s in %s', e.optical_element, d.name, e.detector),
       ivoa.data_link('difference_image/' || m.difference_image_id), 'application/x-votable+xml;content=datalink'::text,
       NULL::bigint, d.name, e.ra, e.dec,
       sqrt(e.n_x::double precision ^ 2 + e.n_y::double precision ^ 2)
           * coalesce(degrees(sqrt(e.pixel_area)), 0.11 / 3600),
       e.s_region, 0.09 * o.wavelength_pivot, NULL::bigint, NULL::bigint, adql.modified_julian_date(e.exposure_start_time),
       adql.modified_julian_date(e.exposure_end_time), coalesce(e.effective_exposure_time, e.exposure_time),
       NULL::double precision, 1::bigint,
       1e-6 * o.wavelength_min, 1e-6 * o.wavelength_max,
       o.wavelength_pivot / (o.wavelength_max - o.wavelength_min), 1::bigint, 'phot.flux.density;arith.diff'::text,
       NULL::text, 0::bigint, 'Roman'::text, 'WFI'::text, e.optical_element, e.detector, e.footprint
FROM roman.exposure e
JOIN roman.difference_image m USING (exposure_id)
JOIN roman.field d USING (field_id)
JOIN roman.optical_element o ON o.optical_element = e.optical_element
WHERE m.superseded_at IS NULL
UNION ALL
SELECT 'timeseries'::text, 'light_curve'::text, 4,
       CASE WHEN b.kind = 'external' THEN 'external' ELSE 'roman_wfi' END,
       'object/' || o.object_id, ivoa.publisher_did('light_curve/' || o.object_id || '/' || c.optical_element),
       format('%s light curve of object %s', c.optical_element, o.object_id),
       ivoa.data_link('light_curve/' || o.object_id || '/' || c.optical_element),
       'application/x-votable+xml;content=datalink'::text, NULL::bigint, o.object_id::text, o.ra, o.dec,
       NULL::double precision, NULL::text, NULL::double precision, NULL::bigint, NULL::bigint, c.first_mjd, c.last_mjd,
       NULL::double precision, NULL::double precision, c.n_point, 1e-6 * b.wavelength_min, 1e-6 * b.wavelength_max,
       b.wavelength_pivot / (b.wavelength_max - b.wavelength_min), 1::bigint, 'phot.flux.density'::text,
       NULL::text, 0::bigint,
       CASE WHEN b.kind <> 'external' THEN 'Roman' END, CASE WHEN b.kind <> 'external' THEN 'WFI' END,
       c.optical_element, NULL::text, NULL::int8multirange
FROM roman.object o
CROSS JOIN LATERAL (
    SELECT k.optical_element, min(s.first_mjd_tdb) AS first_mjd, max(s.last_mjd_tdb) AS last_mjd,
           sum(s.n_point)::bigint AS n_point
    FROM roman.light_curve_summary s
    JOIN roman.light_curve_block k
        ON k.block_id = s.block_id AND k.start_mjd = s.start_mjd AND k.superseded_at IS NULL
    WHERE s.object_id = o.object_id
    GROUP BY k.optical_element
) AS c
JOIN roman.optical_element b ON b.optical_element = c.optical_element
WHERE c.n_point > 0
UNION ALL
SELECT 'spectrum'::text, 'spectrum'::text, CASE WHEN p.flux_is_absolute THEN 2 ELSE 1 END,
       CASE WHEN lower(p.facility_name) = 'roman' THEN 'roman_wfi' ELSE 'external' END,
       'spectrum/' || p.spectrum_id, ivoa.publisher_did('spectrum/' || p.spectrum_id),
       format('Spectrum %s of %s', p.spectrum_id, p.spectrum_name), ivoa.data_link('spectrum/' || p.spectrum_id),
       'application/x-votable+xml;content=datalink'::text, NULL::bigint, p.spectrum_name, p.ra, p."dec",
       NULL::double precision, NULL::text, NULL::double precision, NULL::bigint, NULL::bigint, p.start_mjd_utc,
       p.end_mjd_utc, p.exposure_time, NULL::double precision, 1::bigint, 1e-6 * p.wavelength[1],
       1e-6 * p.wavelength[p.n_pixel], p.resolution[(p.n_pixel + 1) / 2]::double precision, p.n_pixel::bigint,
       'phot.flux.density;em.wl'::text, NULL::text, 0::bigint, p.facility_name, p.instrument_name, NULL::text,
       NULL::text, NULL::int8multirange
FROM roman.spectrum p
WHERE p.superseded_at IS NULL;
