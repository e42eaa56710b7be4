-- Catalog versions and runs that rows of the object catalog name and that are not there.
-- Note: no constraint looks at these columns row by row (schema/tables, postgresql:enforced).
WITH version AS (
    SELECT 'object' AS stored_in, 'first_catalog_version_id' AS column_name, first_catalog_version_id AS refers_to, count(*) AS n_row
    FROM roman.object
    GROUP BY first_catalog_version_id
    UNION ALL
    SELECT 'object', 'catalog_version_id', catalog_version_id, count(*)
    FROM roman.object
    GROUP BY catalog_version_id
    UNION ALL
    SELECT 'object_alias', 'catalog_version_id', catalog_version_id, count(*)
    FROM roman.object_alias
    GROUP BY catalog_version_id
    UNION ALL
    SELECT 'object_flux', 'catalog_version_id', catalog_version_id, count(*)
    FROM roman.object_flux
    GROUP BY catalog_version_id
    UNION ALL
    SELECT 'object_flux_history', 'replaced_by', replaced_by, count(*)
    FROM roman.object_flux_history
    GROUP BY replaced_by
    UNION ALL
    SELECT 'object_flux_history', 'catalog_version_id', catalog_version_id, count(*)
    FROM roman.object_flux_history
    GROUP BY catalog_version_id
    UNION ALL
    SELECT 'object_history', 'replaced_by', replaced_by, count(*)
    FROM roman.object_history
    GROUP BY replaced_by
    UNION ALL
    SELECT 'object_history', 'catalog_version_id', catalog_version_id, count(*)
    FROM roman.object_history
    GROUP BY catalog_version_id
),

run AS (
    SELECT 'object' AS stored_in, 'load_run_id' AS column_name, load_run_id AS refers_to, count(*) AS n_row
    FROM roman.object
    GROUP BY load_run_id
    UNION ALL
    SELECT 'object_alias', 'load_run_id', load_run_id, count(*)
    FROM roman.object_alias
    GROUP BY load_run_id
    UNION ALL
    SELECT 'object_flux', 'load_run_id', load_run_id, count(*)
    FROM roman.object_flux
    GROUP BY load_run_id
    UNION ALL
    SELECT 'object_flux_history', 'load_run_id', load_run_id, count(*)
    FROM roman.object_flux_history
    GROUP BY load_run_id
    UNION ALL
    SELECT 'object_history', 'load_run_id', load_run_id, count(*)
    FROM roman.object_history
    GROUP BY load_run_id
)

SELECT stored_in, column_name, refers_to, n_row
FROM version
WHERE refers_to NOT IN (SELECT catalog_version_id FROM roman.catalog_version)
UNION ALL
SELECT stored_in, column_name, refers_to, n_row
FROM run
WHERE refers_to NOT IN (SELECT load_run_id FROM ops.load_run);
