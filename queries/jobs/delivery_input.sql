-- Record of which files of exposures a delivery was made: the current one of each image in its days.
-- Grain: one row a file.
-- Reads: ops.delivery, roman.exposure, roman.field, roman.optical_element.
-- Writes: ops.delivery_input.
-- Parameters:
--   delivery_id: the delivery
WITH current_file AS (
    SELECT DISTINCT d.delivery_id, e.file_id
    FROM ops.delivery AS d
    JOIN roman.field AS f ON f.survey = d.survey
    JOIN roman.exposure AS e ON e.field_id = f.field_id AND e.day_mjd >= d.start_mjd AND e.day_mjd < d.end_mjd
    JOIN roman.optical_element AS o ON o.optical_element = e.optical_element AND o.kind = 'imaging'
    WHERE d.delivery_id = CAST(:delivery_id AS bigint)
)
INSERT INTO ops.delivery_input (delivery_id, file_id)
SELECT delivery_id, file_id FROM current_file
