-- Reliability of the object catalog by magnitude: the share of objects that are sources of a simulated scene.
-- Question: which part of the catalog is real?
-- Parameters:
--   scene: name of the simulated scene
--   optical_element = F146: optical element of the fluxes
--   radius = 0.11: largest distance between an object and its source, arcsec
--   flux_factor = 2: largest ratio, either way, of their fluxes
--   magnitude_step = 0.5: height of a bin, mag
-- Note: an object is real if any source within the radius has its flux to within the factor. Objects farther than one
--   arcminute from all sources are not of the scene and are left out; positions are compared as they stand, so that
--   their epochs must be alike. The limits are those of Wilson's score interval at one standard deviation.
WITH chosen AS (
    SELECT scene_id FROM roman.simulated_scene WHERE name = CAST(:scene AS text)
), judged AS (
    SELECT o.object_id, floor(roman.ab_magnitude(f.psf_flux) / CAST(:magnitude_step AS double precision)) AS bin,
           EXISTS (
               SELECT FROM roman.simulated_source AS t
               WHERE t.scene_id = chosen.scene_id
                 AND q3c_join(o.ra, o.dec, t.ra, t.dec, CAST(:radius AS double precision) / 3600)
                 AND f.psf_flux BETWEEN
                     (t.true_flux ->> f.optical_element)::double precision / CAST(:flux_factor AS double precision)
                     AND (t.true_flux ->> f.optical_element)::double precision * CAST(:flux_factor AS double precision)
           ) AS is_real
    FROM roman.current_object AS o
    JOIN roman.object_flux AS f ON f.object_id = o.object_id
    CROSS JOIN chosen
    WHERE f.optical_element = CAST(:optical_element AS text) AND f.psf_flux > 0
      AND EXISTS (
          SELECT FROM roman.simulated_source AS t
          WHERE t.scene_id = chosen.scene_id AND q3c_join(o.ra, o.dec, t.ra, t.dec, 1 / 60.0::double precision)
      )
)
SELECT bin * CAST(:magnitude_step AS double precision) AS magnitude_lower, count(*) AS n_object,
       count(*) FILTER (WHERE is_real) AS n_real, avg(is_real::integer::double precision) AS reliability,
       roman.wilson_limit(count(*) FILTER (WHERE is_real), count(*), -1) AS reliability_lower,
       roman.wilson_limit(count(*) FILTER (WHERE is_real), count(*), 1) AS reliability_upper
FROM judged
GROUP BY bin
ORDER BY bin;
