-- Blocks of light curves of the seasons of the release, as they are current.
-- Reads: roman.light_curve_block, roman.field, roman.season
-- Parameters:
--   survey: survey layout
--   season: season; 0 for all
SELECT t.*
FROM roman.light_curve_block AS t
JOIN roman.field AS f USING (field_id)
WHERE
    f.survey = CAST(:survey AS text) AND t.superseded_at IS NULL AND EXISTS (
        SELECT FROM roman.season AS s
        WHERE
            s.survey = f.survey AND CAST(:season AS smallint) IN (0, s.season)
            AND t.start_mjd >= s.start_mjd AND t.start_mjd < s.end_mjd
    )
