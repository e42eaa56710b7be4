-- Sources of the static catalogs around a position, one row a source and optical element.
-- Question: which galaxies and stars are here, how bright are they in each band, and how far away?
-- Parameters:
--   ra: right ascension in degrees, ICRS
--   dec: declination in degrees, ICRS
--   radius = 10: arcseconds
-- Note: object_id leads to the light curves, and stays when the mosaics get deeper. colour_flux is that in 0.4 arcsec
--   after PSF matching: colours come from it, total fluxes from kron_flux.
SELECT
    s.object_id, s.ra, s.dec, s.is_extended, s.photoz, s.photoz_low68, s.photoz_high68, p.optical_element,
    p.kron_flux, p.kron_flux_err, p.psf_flux, p.psf_flux_err,
    p.matched_flux[array_position(c.aper_radius, CAST(0.4 AS real))] AS colour_flux,
    p.matched_flux_err[array_position(c.aper_radius, CAST(0.4 AS real))] AS colour_flux_err,
    s.warning_flags, s.image_flags
FROM roman.source AS s
JOIN roman.source_catalog AS c ON c.source_catalog_id = s.source_catalog_id
JOIN roman.source_photometry AS p ON p.source_catalog_id = s.source_catalog_id AND p.label = s.label
WHERE
    c.superseded_at IS NULL AND c.exposure_id IS NULL
    AND q3c_radial_query(
        s.ra, s.dec, CAST(:ra AS double precision), CAST(:dec AS double precision),
        CAST(:radius AS double precision) / 3600
    )
ORDER BY q3c_dist(s.ra, s.dec, CAST(:ra AS double precision), CAST(:dec AS double precision)), p.optical_element;
