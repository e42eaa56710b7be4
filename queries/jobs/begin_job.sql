-- Begin the job whose turn it is: of those who wait and hold fewer places than they may, whoever holds the fewest, and
-- among equals whoever was served longest ago; of one party's jobs the oldest (max-min fairness, as among queries
-- whose answer is waited for).
-- Grain: one row, the job that begins; none where nobody waits who may have a place.
-- Reads: uws.job, ops.account, ops.account_tier, ops.resource_request.
-- Writes: uws.job.
-- Parameters:
--   largest: most jobs of one party that this service runs at the same time
WITH this_service AS (
    SELECT concat(pid, '@', backend_start) AS worker FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid()
), job AS (
    SELECT
        job_id, phase, creation_time, worker, coalesce(account_id, 0) AS account_id,
        coalesce(party, 'account ' || coalesce(account_id, 0)) AS party
    FROM uws.job
    WHERE phase IN ('QUEUED', 'EXECUTING')
), held AS (
    SELECT party, count(*) AS n, count(*) FILTER (WHERE worker = (SELECT worker FROM this_service)) AS n_here
    FROM job WHERE phase = 'EXECUTING' GROUP BY party
), oldest AS (
    SELECT DISTINCT ON (party) party, job_id, creation_time, account_id
    FROM job WHERE phase = 'QUEUED' ORDER BY party, creation_time, job_id
), turn AS (
    SELECT o.job_id
    FROM oldest AS o
    LEFT JOIN held AS h ON h.party = o.party
    LEFT JOIN ops.account AS a ON a.account_id = o.account_id
    LEFT JOIN ops.account_tier AS t ON t.tier = a.tier
    WHERE
        coalesce(h.n_here, 0) < CAST(:largest AS integer)
        AND coalesce(h.n, 0) < coalesce(greatest(t.concurrent, (
            SELECT max(r.granted)
            FROM ops.resource_request AS r
            INNER JOIN ops.account AS m ON m.account_id = r.account_id
            WHERE
                r.resource = 'concurrent' AND r.decision = 'approved' AND r.expires_at > now()
                AND (m.account_id = a.account_id OR (t.is_shared AND m.team_id = a.team_id AND m.tier = a.tier))
        )), 1)
    ORDER BY
        coalesce(h.n, 0), (SELECT max(s.start_time) FROM uws.job AS s WHERE s.party = o.party) NULLS FIRST,
        o.creation_time
    LIMIT 1
)
UPDATE uws.job AS begun
SET phase = 'EXECUTING', start_time = clock_timestamp(), n_start = begun.n_start + 1, worker = this_service.worker
FROM turn, this_service
WHERE begun.job_id = turn.job_id AND begun.phase = 'QUEUED'
RETURNING begun.*
