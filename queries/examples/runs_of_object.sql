-- Runs that wrote the light curve of an object, with the code and the catalog they used.
-- Question: with which software were these points made, and are they of one piece?
-- Parameters:
--   object_id: identifier of the object
SELECT r.load_run_id, r.task, r.started_at, r.code_version, c.name AS catalog, b.catalog_version_id,
       b.optical_element, b.photometry_kind, count(*) AS n_block, sum(s.n_point) AS n_point,
       CAST(floor(min(b.midpoint_mjd_tdb[1])) AS integer) AS first_mjd, max(b.end_mjd) AS end_mjd
FROM roman.light_curve_summary AS s
JOIN roman.light_curve_block AS b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
JOIN ops.load_run AS r ON r.load_run_id = b.load_run_id
JOIN roman.catalog_version AS c ON c.catalog_version_id = b.catalog_version_id
WHERE s.object_id = CAST(:object_id AS bigint) AND b.superseded_at IS NULL
GROUP BY r.load_run_id, c.catalog_version_id, b.catalog_version_id, b.optical_element, b.photometry_kind
ORDER BY r.load_run_id, b.optical_element;
