-- Rows of a contributed table matched with the nearest object within a radius; gives their number.
-- Grain: one row a row that has an object near by.
-- Reads: contributed (temporary: row_number, ra, dec), roman.object.
-- Writes: roman.community_match.
-- Parameters:
--   community_file_id: file of the table
--   radius_deg: radius, degrees
--   load_run_id: run that writes
WITH stored AS (
    INSERT INTO roman.community_match (community_file_id, row_number, object_id, separation, load_run_id)
    SELECT DISTINCT ON (c.row_number)
        CAST(:community_file_id AS bigint), c.row_number, o.object_id,
        q3c_dist(c.ra, c.dec, o.ra, o.dec) * 3600, CAST(:load_run_id AS bigint)
    FROM contributed AS c
    JOIN roman.object AS o ON q3c_join(c.ra, c.dec, o.ra, o.dec, CAST(:radius_deg AS double precision))
    ORDER BY c.row_number, q3c_dist(c.ra, c.dec, o.ra, o.dec), o.object_id
    RETURNING row_number
)
SELECT count(*) AS n_match FROM stored;
