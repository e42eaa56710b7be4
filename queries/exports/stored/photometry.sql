-- Photometry of the sources of a catalog in an optical element.
-- Grain: source
-- Reads: roman.source_photometry
-- Parameters:
--   source_catalog_id: the catalog
--   optical_element: the optical element
SELECT label, segment_flux, segment_flux_err, kron_flux, kron_flux_err, psf_flux, psf_flux_err, psf_gof, psf_flags,
       ra_psf, ra_psf_err, dec_psf, dec_psf_err, aper_flux, aper_flux_err, matched_flux, matched_flux_err,
       matched_kron_flux, matched_kron_flux_err, aper_bkg_flux, aper_bkg_flux_err, fluxfrac_radius_50, sharpness,
       roundness1, is_extended
FROM roman.source_photometry
WHERE source_catalog_id = CAST(:source_catalog_id AS bigint) AND optical_element = CAST(:optical_element AS text)
ORDER BY label
