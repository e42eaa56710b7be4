-- Fluxes of sources and blends in the models of the release.
-- Reads: roman.event_model_flux, roman.event_model, roman.event
-- Parameters:
--   survey: survey layout
--   season: season; 0 for all
SELECT t.*
FROM roman.event_model_flux AS t
JOIN roman.event_model AS m USING (event_model_id)
JOIN roman.event AS e USING (event_id)
WHERE m.superseded_at IS NULL AND CAST(:season AS smallint) IN (0, e.season) AND EXISTS (
    SELECT FROM roman.measured_by_survey(CAST(:survey AS text), e.season, e.photometry_kind, e.object_id)
)
