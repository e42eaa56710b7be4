-- Microlensing events of a season with the model that is believed, and what follows of source and lens.
-- Grain: event that is kept; same_as_event_id says which are one brightening
-- Reads: roman.event, roman.event_model, roman.event_model_parameter, roman.event_model_flux,
--   roman.event_physical_parameter, roman.object, roman.light_curve_block, roman.light_curve_summary, roman.field,
--   roman.season
-- Units: t_0_err d, einstein_time_err d, alpha_err deg, source_flux nJy, source_flux_err nJy, blend_flux nJy,
--   blend_flux_err nJy, theta_e mas, theta_e_lower mas, theta_e_upper mas, lens_mass Msun, lens_mass_lower Msun,
--   lens_mass_upper Msun, lens_distance kpc, lens_distance_lower kpc, lens_distance_upper kpc
-- Parameters:
--   season: season in whose light curves the events were found; 0 for those of all seasons
--   survey: survey layout; a field that is of none counts as of it; NULL for all
--   kind: kind of photometry
-- Note: results of a season are of all light curves of its days; roman.measured_by_survey says which are this survey's.
WITH value AS (
    SELECT event_model_id,
           max(value) FILTER (WHERE name = 't_0') AS t_0, max(err) FILTER (WHERE name = 't_0') AS t_0_err,
           max(value) FILTER (WHERE name = 'u_0') AS u_0, max(err) FILTER (WHERE name = 'u_0') AS u_0_err,
           max(value) FILTER (WHERE name = 't_E') AS einstein_time,
           max(err) FILTER (WHERE name = 't_E') AS einstein_time_err,
           max(value) FILTER (WHERE name = 'rho') AS rho, max(err) FILTER (WHERE name = 'rho') AS rho_err,
           max(value) FILTER (WHERE name = 's') AS s, max(err) FILTER (WHERE name = 's') AS s_err,
           max(value) FILTER (WHERE name = 'q') AS q, max(err) FILTER (WHERE name = 'q') AS q_err,
           max(value) FILTER (WHERE name = 'alpha') AS alpha, max(err) FILTER (WHERE name = 'alpha') AS alpha_err,
           max(value) FILTER (WHERE name = 'pi_E_N') AS pi_e_n, max(err) FILTER (WHERE name = 'pi_E_N') AS pi_e_n_err,
           max(value) FILTER (WHERE name = 'pi_E_E') AS pi_e_e, max(err) FILTER (WHERE name = 'pi_E_E') AS pi_e_e_err
    FROM roman.event_model_parameter GROUP BY event_model_id
), flux AS (
    SELECT event_model_id,
           max(flux) FILTER (WHERE source_number = 1) AS source_flux,
           max(flux_err) FILTER (WHERE source_number = 1) AS source_flux_err,
           max(flux) FILTER (WHERE source_number = 0) AS blend_flux,
           max(flux_err) FILTER (WHERE source_number = 0) AS blend_flux_err
    FROM roman.event_model_flux WHERE optical_element = 'F146' GROUP BY event_model_id
), lens AS (
    SELECT event_model_id,
           max(value) FILTER (WHERE name = 'thetaE') AS theta_e,
           max(lower) FILTER (WHERE name = 'thetaE') AS theta_e_lower,
           max(upper) FILTER (WHERE name = 'thetaE') AS theta_e_upper,
           max(value) FILTER (WHERE name = 'Mtot') AS lens_mass,
           max(lower) FILTER (WHERE name = 'Mtot') AS lens_mass_lower,
           max(upper) FILTER (WHERE name = 'Mtot') AS lens_mass_upper,
           max(value) FILTER (WHERE name = 'D_L') AS lens_distance,
           max(lower) FILTER (WHERE name = 'D_L') AS lens_distance_lower,
           max(upper) FILTER (WHERE name = 'D_L') AS lens_distance_upper
    FROM roman.event_physical_parameter WHERE method = 'measured' GROUP BY event_model_id
)
SELECT v.event_id, v.object_id, o.ra, o.dec, o.ref_epoch, v.season, v.photometry_kind, v.classification, v.delta_chi2,
       v.n_point, v.same_as_event_id, m.event_model_id, m.name AS model_name, m.n_lens, m.n_source, m.has_finite_source,
       m.has_parallax, m.chi2, m.bic, m.is_converged, a.t_0, a.t_0_err, a.u_0, a.u_0_err, a.einstein_time,
       a.einstein_time_err, a.rho, a.rho_err, a.s, a.s_err, a.q, a.q_err, a.alpha, a.alpha_err, a.pi_e_n, a.pi_e_n_err,
       a.pi_e_e, a.pi_e_e_err, f.source_flux, f.source_flux_err, f.blend_flux, f.blend_flux_err, l.theta_e,
       l.theta_e_lower, l.theta_e_upper, l.lens_mass, l.lens_mass_lower, l.lens_mass_upper, l.lens_distance,
       l.lens_distance_lower, l.lens_distance_upper
FROM roman.event v
JOIN roman.object o ON o.object_id = v.object_id
LEFT JOIN roman.event_model m ON m.event_id = v.event_id AND m.rank = 1 AND m.superseded_at IS NULL
LEFT JOIN value a ON a.event_model_id = m.event_model_id
LEFT JOIN flux f ON f.event_model_id = m.event_model_id
LEFT JOIN lens l ON l.event_model_id = m.event_model_id
WHERE v.is_event AND v.season = CAST(:season AS smallint) AND v.photometry_kind = CAST(:kind AS text)
    AND EXISTS (
        SELECT FROM roman.measured_by_survey(CAST(:survey AS text), v.season, v.photometry_kind, v.object_id)
    )
ORDER BY v.event_id
