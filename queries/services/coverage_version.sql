-- What says whether the sky that exposures cover may have changed: they come in load runs alone.
-- Reads: ops.load_run
-- Grain: one row
SELECT count(*) AS n_run, max(finished_at) AS latest_end, count(*) FILTER (WHERE state = 'running') AS n_running
FROM ops.load_run
