-- Spectra of a dispersed exposure of which there are 2D cut-outs; these stand in a file, with a row for each.
-- Grain: object
-- Reads: roman.spectral_extraction, roman.exposure_spectrum, roman.spectrum_location, roman.object
-- Units: n_y pixel
-- Parameters:
--   exposure_id: identifier of the exposure
SELECT s.object_id, o.ra, o.dec, s.warning, s.contamination_median, l.overlap_fraction, l.fraction_on_detector,
       s.n_pixel AS n_y
FROM roman.exposure_spectrum AS s
JOIN roman.spectral_extraction AS x ON x.spectral_extraction_id = s.spectral_extraction_id
JOIN roman.object AS o ON o.object_id = s.object_id
JOIN roman.spectrum_location AS l
    ON l.spectral_extraction_id = s.spectral_extraction_id AND l.object_id = s.object_id AND l.spectral_order = 1
WHERE x.exposure_id = CAST(:exposure_id AS bigint) AND x.superseded_at IS NULL AND s.n_pixel > 0
ORDER BY s.object_id
