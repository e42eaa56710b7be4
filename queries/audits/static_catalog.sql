-- Static catalogs without all of their rows, or current beside another of their images, and sources that are no object.
WITH stored AS (
    SELECT source_catalog_id, count(*) AS n_source
    FROM roman.source
    GROUP BY source_catalog_id
),

measured AS (
    SELECT source_catalog_id, count(*) AS n_measured
    FROM roman.source_photometry
    GROUP BY source_catalog_id
),

band AS (
    SELECT source_catalog_id, count(*) AS n_band
    FROM roman.source_catalog_mosaic
    GROUP BY source_catalog_id
    UNION ALL
    SELECT source_catalog_id, 1
    FROM roman.source_catalog
    WHERE exposure_id IS NOT NULL
)

SELECT 'rows are missing' AS fault, source_catalog_id, c.n_source AS number
FROM roman.source_catalog AS c
FULL JOIN stored AS s USING (source_catalog_id)
FULL JOIN measured AS m USING (source_catalog_id)
LEFT JOIN band AS b USING (source_catalog_id)
WHERE c.n_source IS DISTINCT FROM coalesce(s.n_source, 0)
   OR c.n_source * b.n_band IS DISTINCT FROM coalesce(m.n_measured, 0)
UNION ALL
SELECT 'two are current', min(source_catalog_id), count(*)
FROM roman.source_catalog
WHERE superseded_at IS NULL
GROUP BY sky_cell_id, exposure_id, set_name
HAVING count(*) > 1
UNION ALL
SELECT 'two of an exposure are current', min(source_catalog_id), count(*)
FROM roman.source_catalog
WHERE superseded_at IS NULL AND exposure_id IS NOT NULL
GROUP BY exposure_id
HAVING count(*) > 1
UNION ALL
SELECT 'its exposure is not told', source_catalog_id, exposure_id
FROM roman.source_catalog AS c
WHERE exposure_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM roman.source_catalog_exposure AS e
    WHERE e.source_catalog_id = c.source_catalog_id AND e.exposure_id = c.exposure_id AND e.forced_path IS NULL
)
UNION ALL
SELECT 'two mosaics are current', min(mosaic_id), count(*)
FROM roman.mosaic
WHERE superseded_at IS NULL
GROUP BY sky_cell_id, set_name, optical_element
HAVING count(*) > 1
UNION ALL
SELECT 'no such object', s.source_catalog_id, count(*)
FROM roman.source AS s
WHERE s.object_id IS NOT NULL AND NOT EXISTS (SELECT FROM roman.object AS o WHERE o.object_id = s.object_id)
GROUP BY s.source_catalog_id
