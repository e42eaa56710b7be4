-- The object catalog within a circle as it was known when a version had been loaded, beside what is known
-- now.
-- Question: which positions did the photometry of last year use?
-- Parameters:
--   version: catalog version (roman.catalog_version)
--   ra: right ascension of the centre, deg ICRS
--   dec: declination of the centre, deg ICRS
--   radius = 10: radius, arcsec
SELECT old.object_id, old.catalog_version_id, old.ra, old.dec, old.ref_epoch,
       now.catalog_version_id AS catalog_version_id_now,
       3.6e6 * q3c_dist(old.ra, old.dec, now.ra, now.dec) AS moved_mas
FROM roman.object AS now
JOIN roman.object_at(CAST(:version AS bigint)) AS old ON old.object_id = now.object_id
WHERE q3c_radial_query(
    now.ra, now.dec, CAST(:ra AS double precision), CAST(:dec AS double precision),
    CAST(:radius AS double precision) / 3600
)
ORDER BY old.object_id;
