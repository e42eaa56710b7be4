-- Delete what light curves of others hold of some objects in a band, before it is loaded again.
-- Grain: nothing is returned.
-- Reads: roman.light_curve_block, roman.light_curve_segment.
-- Writes: roman.light_curve_segment, roman.light_curve_summary, roman.light_curve_block.
-- Parameters:
--   band: optical element
--   objects: array of object_id
-- Note: a block that is left without objects is superseded.
WITH gone AS (
    DELETE FROM roman.light_curve_segment AS s
    USING roman.light_curve_block AS b
    WHERE
        b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
        AND b.photometry_kind = 'external' AND b.optical_element = CAST(:band AS text)
        AND s.object_id = ANY(CAST(:objects AS bigint[]))
    RETURNING
        s.object_id, s.block_id, s.start_mjd,
        (SELECT count(*) FROM unnest(s.flux) AS f WHERE f <> 'NaN'::real) AS n_point
),

summaries AS (
    DELETE FROM roman.light_curve_summary AS s USING gone
    WHERE s.object_id = gone.object_id AND s.block_id = gone.block_id AND s.start_mjd = gone.start_mjd
),

size AS (
    SELECT block_id, count(*) AS n_object, sum(n_point) AS n_point FROM gone GROUP BY block_id
)

UPDATE roman.light_curve_block AS b
SET
    n_object = b.n_object - s.n_object, n_point = b.n_point - s.n_point,
    superseded_at = CASE WHEN b.n_object = s.n_object THEN now() END
FROM size AS s
WHERE b.block_id = s.block_id
