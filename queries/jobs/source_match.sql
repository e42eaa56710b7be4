-- Find the objects that each detected source may be within the errors of both, the nearest pairs first.
-- Objects with a proper motion are taken along it to the epoch of the sources. The radius is a number of standard
-- errors of one axis, of source and object together, and what errors do not know of, in quadrature.
-- Grain: one row a pair of source and object; is_own: static catalogs alone say where the object is.
-- Reads: roman.object, roman.source_catalog, detected_source (temporary: n, ra, dec in deg, err in arcsec).
-- Parameters:
--   epoch: Julian year of the sources
--   sigmas: standard errors
--   least: arcsec within which a source is an object whatever the errors
--   most: arcsec beyond which it is none
WITH near AS (
    SELECT
        s.n, s.ra, s.dec, s.err, o.object_id, o.catalog_version_id,
        CAST(:epoch AS double precision) - o.ref_epoch AS years,
        o.ra AS object_ra, o.dec AS object_dec,
        coalesce(o.pm_ra, 0) AS pm_ra, coalesce(o.pm_dec, 0) AS pm_dec,
        (coalesce(o.ra_err, 0) ^ 2 + coalesce(o.dec_err, 0) ^ 2) / 2 AS variance,
        (coalesce(o.pm_ra_err, 0) ^ 2 + coalesce(o.pm_dec_err, 0) ^ 2) / 2 AS pm_variance
    FROM pg_temp.detected_source AS s
    JOIN roman.object AS o
        ON q3c_join(s.ra, s.dec, o.ra, o.dec, 2 * CAST(:most AS double precision) / 3600)
),

placed AS (
    SELECT
        n, object_id, catalog_version_id,
        3600 * q3c_dist(
            ra, dec, object_ra + pm_ra * years / (3.6e6 * cos(radians(object_dec))),
            object_dec + pm_dec * years / 3.6e6
        ) AS distance,
        least(
            sqrt(
                CAST(:least AS double precision) ^ 2
                + CAST(:sigmas AS double precision) ^ 2 * (err ^ 2 + (variance + pm_variance * years ^ 2) / 1e6)
            ),
            CAST(:most AS double precision)
        ) AS radius
    FROM near
)

SELECT
    n, object_id, distance,
    EXISTS (SELECT FROM roman.source_catalog AS c WHERE c.catalog_version_id = p.catalog_version_id) AS is_own
FROM placed AS p
WHERE distance <= radius
ORDER BY distance, n, object_id
