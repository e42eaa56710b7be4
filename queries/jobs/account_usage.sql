-- What accounts used: sums of the ledger.
-- Grain: one row an account, kind and outcome.
-- Reads: ops.account_usage, ops.account.
-- Writes: nothing.
-- Parameters:
--   account_id: account; empty for all
--   days: days back from now
SELECT
    a.name, u.kind, u.outcome, count(*) AS n_query, sum(u.seconds) AS seconds, CAST(sum(u.n_row) AS bigint) AS n_row,
    CAST(sum(u.n_byte) AS bigint) AS n_byte, max(u.finished_at) AS latest_at
FROM ops.account_usage AS u
INNER JOIN ops.account AS a ON a.account_id = u.account_id
WHERE
    u.finished_at > now() - CAST(:days AS double precision) * INTERVAL '1 day'
    AND (CAST(:account_id AS bigint) IS NULL OR u.account_id = CAST(:account_id AS bigint))
GROUP BY a.name, u.kind, u.outcome
ORDER BY a.name, u.kind, u.outcome
