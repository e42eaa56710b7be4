-- Statistics of the light curves of one object.
-- Grain: one row a season (0: all), kind of photometry and optical element
-- Parameters:
--   object_id: identifier of the object
SELECT v.season, v.photometry_kind, v.optical_element, v.n_point, roman.ab_magnitude(v.mean_flux) AS ab_mag,
       v.mean_flux, v.std_flux, v.reduced_chi2, v.excess_scatter, v.skewness, v.kurtosis, v.von_neumann,
       v.stetson_j, v.variability_index, v.is_variable
FROM roman.variability AS v WHERE v.object_id = CAST(:object_id AS bigint)
ORDER BY v.season, v.photometry_kind, v.optical_element;
