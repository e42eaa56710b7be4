-- Suspend accounts whose renewal has passed by more than some days: their tokens sign in no more until they are renewed.
-- Grain: one row an account that is suspended now.
-- Reads: ops.account.
-- Writes: ops.account.
-- Parameters:
--   grace: days after the renewal
WITH suspended AS (
    UPDATE ops.account SET state = 'suspended'
    WHERE state = 'active' AND expires_at < now() - CAST(:grace AS double precision) * INTERVAL '1 day'
    RETURNING name
)

SELECT name FROM suspended
