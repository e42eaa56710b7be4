-- Sky that light curves and the exposures of the last days cover, as ranges of HEALPix indices of order 29.
-- Grain: one row an optical element
-- Note: one exposure of each block; all exposures of the survey would be millions of ranges.
SELECT e.optical_element, CAST(range_agg(e.footprint) AS text) AS footprint
FROM (
    SELECT x.optical_element, x.footprint
    FROM roman.light_curve_block AS b JOIN roman.exposure AS x ON x.exposure_id = b.exposure_id[1]
    WHERE b.superseded_at IS NULL AND b.detector IS NOT NULL
    UNION ALL
    SELECT x.optical_element, x.footprint FROM roman.exposure AS x
    WHERE x.day_mjd >= (SELECT max(day_mjd) - 1 FROM roman.exposure)
) AS e
WHERE e.footprint IS NOT NULL
GROUP BY e.optical_element ORDER BY e.optical_element;
