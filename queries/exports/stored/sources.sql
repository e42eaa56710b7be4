-- Sources of a catalog, in the names of RAD that its file has them under.
-- Grain: source
-- Reads: roman.source
-- Parameters:
--   source_catalog_id: the catalog
SELECT label, ra, dec, ra_centroid, ra_centroid_err, dec_centroid, dec_centroid_err, ra_centroid_win,
       ra_centroid_win_err, dec_centroid_win, dec_centroid_win_err, x_centroid, y_centroid, semimajor, semiminor,
       ellipticity, orientation_sky, fwhm, kron_radius, segment_area, warning_flags, image_flags, nn_label, nn_distance,
       dust_ebv, parent_label, shape_e1, shape_e2, shape_e_err, shape_sigma, shape_resolution, spread, spread_err,
       peak_snr, photoz, photoz_gof, photoz_low68, photoz_high68, photoz_low90, photoz_high90, photoz_low99,
       photoz_high99, photoz_sed
FROM roman.source WHERE source_catalog_id = CAST(:source_catalog_id AS bigint)
ORDER BY label
