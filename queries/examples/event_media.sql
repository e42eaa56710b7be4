-- Events that were put into images beside the same events in light curves.
-- Question: does the search find in images what it finds in light curves, and the same of it?
-- Parameters:
--   season = 0: season of the light curves, 0 for those of all seasons
--   photometry_kind = psf: kind of the light curves
-- Note: delta_chi2 and parameters are empty where nothing was fitted.
SELECT injection_run_id, injected_event_id, object_id, true_t_0, true_einstein_time, true_u_0, baseline_flux,
       is_found_images, is_found_lightcurve, classification_images, classification_lightcurve,
       delta_chi2_images, delta_chi2_lightcurve, t_0_images, t_0_lightcurve,
       einstein_time_images, einstein_time_lightcurve, u_0_images, u_0_lightcurve
FROM roman.event_medium_comparison
WHERE season = CAST(:season AS smallint) AND photometry_kind = CAST(:photometry_kind AS text)
  AND kind IN ('point_lens', 'planet')
ORDER BY injection_run_id, injected_event_id;
