-- Accounts that are to be renewed soon, or should have been: whom to write to.
-- Grain: one row an account; days_left: until its renewal, negative where that has passed.
-- Reads: ops.account.
-- Writes: nothing.
-- Parameters:
--   days: days from now within which the renewal is due
SELECT
    name, full_name, email, tier, state, expires_at,
    CAST(floor(extract(EPOCH FROM expires_at - now()) / 86400) AS integer) AS days_left
FROM ops.account
WHERE state <> 'closed' AND expires_at < now() + CAST(:days AS double precision) * INTERVAL '1 day'
ORDER BY expires_at, name
