-- Find the blocks many of whose objects are elsewhere than where they were photometered, as positions or proper motions
-- have become better since: their exposures are to be photometered again.
-- Grain: one row a current block of which a share of the objects has moved.
-- Reads: roman.light_curve_block, roman.light_curve_segment, roman.object, roman.object_history, roman.catalog_version.
-- Writes: nothing.
-- Parameters:
--   photometry_kind: kind of the light curves
--   before_mjd: only blocks that begin before this day, MJD TDB
--   limit: how far an object may have moved, mas
--   share: share of the objects of a block that must have moved farther
-- Note: both places are those at the middle of the block, proper motions that are not known being none. Parallaxes do not
--   count. What was known of an object when a catalog version had been loaded is in roman.object_history if it was
--   replaced since (as roman.object_at has it); objects that were not known then have no light curve in the block.
WITH block AS (
    SELECT
        block_id, start_mjd, catalog_version_id, n_epoch, n_object,
        2000 + (midpoint_mjd_tdb[1 + n_epoch / 2] - 51544.5) / 365.25 AS epoch
    FROM roman.light_curve_block
    WHERE
        superseded_at IS NULL AND photometry_kind = CAST(:photometry_kind AS text)
        AND start_mjd < CAST(:before_mjd AS integer) AND n_epoch > 0
        AND catalog_version_id < (SELECT max(catalog_version_id) FROM roman.catalog_version)
),

used AS (
    SELECT DISTINCT catalog_version_id FROM block
),

known AS (
    SELECT u.catalog_version_id AS used_version, h.*
    FROM used AS u
    JOIN roman.object_history AS h
        ON h.catalog_version_id <= u.catalog_version_id AND h.replaced_by > u.catalog_version_id
),

pair AS (
    SELECT
        b.block_id, b.epoch, radians(o.dec) AS latitude, o.ra - k.ra AS ra_change, o.dec - k.dec AS dec_change,
        coalesce(o.pm_ra, 0) * (b.epoch - o.ref_epoch) - coalesce(k.pm_ra, 0) * (b.epoch - k.ref_epoch) AS ra_motion,
        coalesce(o.pm_dec, 0) * (b.epoch - o.ref_epoch) - coalesce(k.pm_dec, 0) * (b.epoch - k.ref_epoch) AS dec_motion
    FROM block AS b
    JOIN known AS k ON k.used_version = b.catalog_version_id
    JOIN roman.light_curve_segment AS s
        ON s.object_id = k.object_id AND s.start_mjd = b.start_mjd AND s.block_id = b.block_id
    JOIN roman.object AS o ON o.object_id = k.object_id
),

moved AS (
    SELECT
        block_id,
        sqrt(
            (3.6e6 * (ra_change - 360 * round(ra_change / 360)) * cos(latitude) + ra_motion) ^ 2
            + (3.6e6 * dec_change + dec_motion) ^ 2
        ) AS distance
    FROM pair
),

counted AS (
    SELECT
        block_id, count(*) FILTER (WHERE distance > CAST(:limit AS double precision)) AS n_moved,
        max(distance) AS farthest
    FROM moved
    GROUP BY block_id
)

SELECT b.block_id, b.start_mjd, b.n_epoch, b.n_object, c.n_moved, c.farthest
FROM counted AS c
JOIN block AS b USING (block_id)
WHERE c.n_moved > 0 AND c.n_moved >= CAST(:share AS double precision) * b.n_object
ORDER BY b.start_mjd, b.block_id;
