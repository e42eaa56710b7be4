-- Current reference images near a place, the nearest and latest first.
-- Grain: one row an image
-- Parameters:
--   ra: right ascension, deg ICRS
--   dec: declination, deg ICRS
--   radius: how far their middles may be, deg
--   most: most rows
SELECT r.reference_image_id, r.detector, r.optical_element, r.start_mjd, r.end_mjd, r.reference_kind, r.n_exposure,
       r.ra_ref, r.dec_ref, r.n_x, r.n_y, r.pixel_scale
FROM roman.reference_image AS r
WHERE r.superseded_at IS NULL
  AND q3c_join(CAST(:ra AS double precision), CAST(:dec AS double precision), r.ra_ref, r.dec_ref,
               CAST(:radius AS double precision))
ORDER BY q3c_dist(CAST(:ra AS double precision), CAST(:dec AS double precision), r.ra_ref, r.dec_ref),
         r.reference_kind = 'season' DESC, r.optical_element = 'F146' DESC, r.start_mjd DESC
LIMIT CAST(:most AS integer);
