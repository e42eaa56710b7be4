-- What an account, or its team where that shares its limits, has used of a day: sums of the ledger.
-- Grain: one row.
-- Reads: ops.account_usage, ops.account.
-- Writes: nothing.
-- Parameters:
--   account_id: account
--   is_shared: whether the accounts of its team and tier count with it
--   team_id: its team; empty for none
--   tier: its tier
--   since: beginning of the day
SELECT CAST(coalesce(sum(u.n_row), 0) AS bigint) AS n_row, coalesce(sum(u.seconds), 0) AS seconds
FROM ops.account AS a
INNER JOIN ops.account_usage AS u ON u.account_id = a.account_id
WHERE
    u.finished_at >= CAST(:since AS timestamptz)
    AND (
        a.account_id = CAST(:account_id AS bigint)
        OR (CAST(:is_shared AS boolean) AND a.team_id = CAST(:team_id AS bigint) AND a.tier = CAST(:tier AS text))
    )
