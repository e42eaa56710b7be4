-- Statistics of the light curves of all objects in a season, with periods of those that vary.
-- Grain: object and optical element
-- Reads: roman.variability, roman.variable_object, roman.object, roman.light_curve_block,
--   roman.light_curve_summary, roman.field, roman.season
-- Parameters:
--   season: season of the survey, from 1; 0 for all there is
--   survey: survey layout; a field that is of none counts as of it; NULL for all
--   kind: kind of photometry
-- Note: results of a season are of all light curves of its days; roman.measured_by_survey says which are this survey's.
SELECT v.object_id, o.ra, o.dec, o.ref_epoch, v.optical_element, v.photometry_kind, v.n_point, v.mean_flux, v.std_flux,
       v.min_flux, v.max_flux, v.reduced_chi2, v.excess_scatter, v.skewness, v.kurtosis, v.von_neumann, v.longest_run,
       v.variability_index, v.is_variable, v.median_flux, v.mad_flux, v.iqr_flux, v.percentile_05_flux,
       v.percentile_95_flux, v.stetson_k, v.stetson_j, p.class_hint, p.period, p.period_err, p.log_false_alarm,
       p.explained, p.amplitude
FROM roman.variability v
JOIN roman.object o ON o.object_id = v.object_id
LEFT JOIN roman.variable_object p
    ON p.season = v.season AND p.photometry_kind = v.photometry_kind AND p.object_id = v.object_id
WHERE v.season = CAST(:season AS smallint) AND v.photometry_kind = CAST(:kind AS text)
    AND EXISTS (
        SELECT FROM roman.measured_by_survey(CAST(:survey AS text), v.season, v.photometry_kind, v.object_id)
    )
ORDER BY v.object_id, v.optical_element
