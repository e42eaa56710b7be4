-- Add to what addresses have used of the day (UTC, by the clock of the database), and drop the rows of days before it.
-- Grain: one row an address and day; a row that another service is about to drop is left to it.
-- Reads: ops.address_usage.
-- Writes: ops.address_usage.
-- Parameters:
--   client: digests of the addresses, an array; one may be there several times
--   n_row: rows of the answers, an array beside it
--   seconds: for which each held a place, an array beside it
WITH today AS (
    SELECT date_trunc('day', now(), 'UTC') AS day_start
),

past AS (
    SELECT day_start, client FROM ops.address_usage
    WHERE day_start < (SELECT today.day_start FROM today)
    FOR UPDATE SKIP LOCKED
),

dropped AS (
    DELETE FROM ops.address_usage AS u
    USING past
    WHERE u.day_start = past.day_start AND u.client = past.client
)

INSERT INTO ops.address_usage AS u (day_start, client, n_row, seconds)
SELECT today.day_start, used.client, sum(used.n_row), sum(used.seconds)
FROM today
CROSS JOIN unnest(
    CAST(:client AS text []), CAST(:n_row AS bigint []), CAST(:seconds AS double precision [])
) AS used (client, n_row, seconds)
GROUP BY today.day_start, used.client
ORDER BY used.client
ON CONFLICT (day_start, client) DO UPDATE
    SET n_row = u.n_row + excluded.n_row, seconds = u.seconds + excluded.seconds
