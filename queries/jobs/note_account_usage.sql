-- Write entries of the ledger.
-- Grain: one row an answer.
-- Writes: ops.account_usage.
-- Parameters:
--   account_id: accounts, an array
--   kind: how each ran, an array beside it, as all others are
--   outcome: how each ended
--   queued_at: when each was asked
--   started_at: when each began, null where it never did
--   finished_at: when each ended
--   seconds: for which each held a place
--   n_row: rows that each was given
--   n_byte: bytes that each was given
--   sky_area: of which each told, square degrees, null where that is not known
WITH ended AS (
    SELECT * FROM unnest(
        CAST(:account_id AS bigint []), CAST(:kind AS text []), CAST(:outcome AS text []),
        CAST(:queued_at AS timestamptz []), CAST(:started_at AS timestamptz []),
        CAST(:finished_at AS timestamptz []), CAST(:seconds AS double precision []), CAST(:n_row AS bigint []),
        CAST(:n_byte AS bigint []), CAST(:sky_area AS double precision [])
    )
)

INSERT INTO ops.account_usage (
    account_id, kind, outcome, queued_at, started_at, finished_at, seconds, n_row, n_byte, sky_area
)
SELECT * FROM ended
