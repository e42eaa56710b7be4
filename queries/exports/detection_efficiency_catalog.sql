-- Events that were injected, and the same light curves untouched: what is true, and what was found.
-- Grain: light curve of an injection
-- Reads: roman.injected_event, roman.event_recovery, roman.injection_run, roman.field
-- Units: found_t_0 d, found_einstein_time d
-- Parameters:
--   season: season of the survey, from 1; 0 for all there is
--   survey: survey layout; a field that is of none counts as of it
--   kind: kind of photometry
--   medium: what was injected into: images, lightcurve or rhie
SELECT e.injection_run_id, e.injected_event_id, e.object_id, e.field_id, e.season, e.photometry_kind, e.kind,
       e.baseline_flux, e.source_fraction, e.t_0, e.u_0, e.einstein_time, e.rho, e.pi_e_n, e.pi_e_e, e.s, e.q, e.alpha,
       e.expected_delta_chi2, r.binary_class, r.is_failed, r.classification, r.is_selected, r.variability_index,
       r.longest_run, r.delta_chi2, r.model_name, r.has_planet, r.t_0 AS found_t_0, r.u_0 AS found_u_0,
       r.einstein_time AS found_einstein_time, r.s AS found_s, r.q AS found_q
FROM roman.injected_event e
JOIN roman.event_recovery r
    ON r.injection_run_id = e.injection_run_id AND r.injected_event_id = e.injected_event_id
JOIN roman.injection_run i ON i.injection_run_id = e.injection_run_id
LEFT JOIN roman.field f ON f.field_id = e.field_id
WHERE e.kind IN ('point_lens', 'planet', 'untouched') AND e.season = CAST(:season AS smallint)
    AND e.photometry_kind = CAST(:kind AS text) AND i.inject_medium = CAST(:medium AS text)
    AND coalesce(f.survey, CAST(:survey AS text)) = CAST(:survey AS text)
ORDER BY e.injection_run_id, e.injected_event_id
