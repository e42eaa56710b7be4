-- Mosaics of fields that are not what their images are: their shares do not add up, an image is of another field or
-- element, a detector is there twice, or the numbers of detectors and exposures are not those of the images.
WITH part AS (
    SELECT
        m.field_mosaic_id, m.n_detector, m.n_exposure,
        coalesce(sum(p.share), 0) AS share,
        count(*) FILTER (WHERE p.is_used) AS n_used,
        count(DISTINCT r.detector) FILTER (WHERE p.is_used) AS n_detector_used,
        coalesce(sum(r.n_exposure) FILTER (WHERE p.is_used), 0) AS n_exposure_used,
        count(*) FILTER (WHERE r.field_id <> m.field_id OR r.optical_element <> m.optical_element) AS n_foreign
    FROM roman.field_mosaic AS m
    LEFT JOIN roman.field_mosaic_part AS p ON p.field_mosaic_id = m.field_mosaic_id
    LEFT JOIN roman.reference_image AS r ON r.reference_image_id = p.reference_image_id
    GROUP BY m.field_mosaic_id, m.n_detector, m.n_exposure
)

SELECT 'shares do not add up' AS fault, field_mosaic_id, share AS number
FROM part
WHERE abs(share - 1) > 1e-4
UNION ALL
SELECT 'an image is of another field or element', field_mosaic_id, n_foreign
FROM part
WHERE n_foreign > 0
UNION ALL
SELECT 'detectors are not those of the images', field_mosaic_id, n_detector
FROM part
WHERE n_used <> n_detector OR n_detector_used <> n_detector
UNION ALL
SELECT 'exposures are not those of the images', field_mosaic_id, n_exposure - n_exposure_used
FROM part
WHERE n_exposure <> n_exposure_used;
