-- Sky that exposures cover, as a range of HEALPix indices of order 29.
-- Grain: one row an optical element
-- Reads: roman.exposure.
SELECT e.optical_element, CAST(range_agg(e.footprint) AS text) AS footprint
FROM (SELECT DISTINCT ON (optical_element, field_id, detector, day_mjd) optical_element, footprint
      FROM roman.exposure WHERE footprint IS NOT NULL) AS e
GROUP BY e.optical_element ORDER BY e.optical_element;
