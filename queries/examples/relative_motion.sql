-- How the lens of an event moves against its source, by each method, beside what the size of the source says.
-- Question: is my lens seen to move away from its source?
-- Parameters:
--   event_id: identifier of the event
-- Note: what is measured in images is heliocentric; mu_rel is that of the light curve, in the frame of the Earth at the
--   time of the event. Where sign_known is false the opposite direction is as good.
SELECT
    r.season, r.method, r.status, r.n_season, r.n_exposure, r.pm_rel_ra, r.pm_rel_ra_err, r.pm_rel_dec, r.pm_rel_dec_err,
    r.pm_rel, r.pm_rel_err, r.sign_known, r.chi2_zero, r.chi2_start, q.value AS mu_rel, q.lower AS mu_rel_lower,
    q.upper AS mu_rel_upper
FROM roman.relative_proper_motion AS r
LEFT JOIN roman.event_physical_parameter AS q
    ON q.event_model_id = r.event_model_id AND q.name = 'mu_rel' AND q.method = 'measured'
WHERE r.event_id = CAST(:event_id AS bigint) AND r.superseded_at IS NULL
ORDER BY r.season, r.method;
