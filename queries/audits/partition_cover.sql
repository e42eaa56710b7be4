-- Days that the partitions of a light-curve table hold otherwise than ops.light_curve_partition says, ranges
-- of days that overlap, and current blocks beyond all of them.
WITH parent AS (
    SELECT c.oid, c.relname FROM pg_class AS c
    WHERE c.relnamespace = 'roman'::regnamespace AND c.relkind = 'p'
        AND pg_get_partkeydef(c.oid) = 'RANGE (start_mjd)'
), bound AS (
    SELECT p.relname AS parent, c.relname AS partition,
           regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \((\d+)\) TO \((\d+)\)') AS days
    FROM parent AS p
    JOIN pg_inherits AS i ON i.inhparent = p.oid
    JOIN pg_class AS c ON c.oid = i.inhrelid
), stored AS (
    SELECT parent, partition, CAST(days[1] AS integer) AS from_mjd, CAST(days[2] AS integer) AS to_mjd
    FROM bound
), expected AS (
    SELECT p.relname AS parent, d.from_mjd, d.to_mjd
    FROM parent AS p CROSS JOIN ops.light_curve_partition AS d
)
SELECT 'not as registered' AS problem, parent AS name, from_mjd, to_mjd
FROM stored FULL JOIN expected USING (parent, from_mjd, to_mjd)
WHERE stored.partition IS NULL OR expected.from_mjd IS NULL
UNION ALL
SELECT 'overlap', NULL, a.from_mjd, b.to_mjd
FROM ops.light_curve_partition AS a
JOIN ops.light_curve_partition AS b ON b.from_mjd > a.from_mjd AND b.from_mjd < a.to_mjd
UNION ALL
SELECT 'block without partition', CAST(b.block_id AS text), b.start_mjd, b.end_mjd
FROM roman.light_curve_block AS b
WHERE b.superseded_at IS NULL
  AND NOT EXISTS (
      -- Blocks of a sealed season are of its whole length and stand in the window in which they begin; so do
      -- light curves that others measured, of whatever length.
      SELECT FROM ops.light_curve_partition AS d
      WHERE b.start_mjd >= d.from_mjd AND b.start_mjd < d.to_mjd AND (
          d.sealed OR b.photometry_kind = 'external' OR b.end_mjd <= d.to_mjd
      )
  );
