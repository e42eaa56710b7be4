-- Where the light of objects falls on a dispersed exposure, in all orders.
-- Grain: object and order
-- Reads: roman.spectral_extraction, roman.spectrum_location, roman.object
-- Parameters:
--   exposure_id: identifier of the exposure
SELECT l.object_id, o.ra, o.dec, l.spectral_order, l.x, l.y, l.x_first, l.y_first, l.x_last, l.y_last,
       l.wavelength_min, l.wavelength_max, l.fraction_on_detector, l.overlap_fraction, l.flags
FROM roman.spectrum_location AS l
JOIN roman.spectral_extraction AS x ON x.spectral_extraction_id = l.spectral_extraction_id
JOIN roman.object AS o ON o.object_id = l.object_id
WHERE x.exposure_id = CAST(:exposure_id AS bigint) AND x.superseded_at IS NULL
ORDER BY l.object_id, l.spectral_order
