-- Input that was refused of late, with the reason and what to do.
-- Question: which of my files are not in the database, and why?
-- Parameters:
--   days = 7: how many days back
SELECT x.rejected_at, r.task, x.source, x.row_number, x.code, x.reason, x.remedy, x.load_run_id
FROM ops.load_rejection AS x
JOIN ops.load_run AS r ON r.load_run_id = x.load_run_id
WHERE x.rejected_at >= now() - CAST(:days AS double precision) * interval '1 day'
ORDER BY x.rejected_at DESC, x.load_rejection_id;
