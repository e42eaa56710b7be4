-- Light curves of objects, one row a point, object after object in order of their identifiers.
-- Reads: roman.object, roman.light_curve, roman.light_curve_block
-- Grain: point of an object in an optical element
-- Parameters:
--   object_ids: identifiers of objects, as an array of integers
--   elements: optical element wanted of each of them, as an array of text; empty text for all
--   ra: right ascensions (ICRS, deg) of places whose objects are wanted, as an array
--   dec: declinations of the places, as an array
--   radius: how far from a place an object may be, deg
--   kind: kind of photometry; empty text for all
WITH named AS (
    SELECT object_id, nullif(element, '') AS element
    FROM unnest(CAST(:object_ids AS bigint[]), CAST(:elements AS text[])) AS given (object_id, element)
    UNION
    SELECT o.object_id, NULL
    FROM unnest(CAST(:ra AS float8[]), CAST(:dec AS float8[])) AS place (ra, dec)
    JOIN roman.current_object o ON q3c_join(place.ra, place.dec, o.ra, o.dec, CAST(:radius AS float8))
), wanted AS (
    SELECT object_id, CASE WHEN bool_or(element IS NULL) THEN NULL ELSE array_agg(element) END AS elements
    FROM named GROUP BY object_id ORDER BY object_id
)
SELECT point.object_id, o.ra, o.dec, point.optical_element, point.photometry_kind, point.midpoint_bjd_tdb,
       point.midpoint_mjd_tdb, point.flux, point.flux_err, point.ab_mag, point.ab_mag_err, point.flags,
       point.exposure_id, point.detector, point.catalog_version_id, point.load_run_id
FROM wanted
JOIN roman.object o ON o.object_id = wanted.object_id
CROSS JOIN LATERAL (
    SELECT l.*, b.catalog_version_id, b.load_run_id
    FROM roman.light_curve l
    JOIN roman.light_curve_block b ON b.block_id = l.block_id AND b.start_mjd = l.start_mjd
    WHERE l.object_id = wanted.object_id
      AND (wanted.elements IS NULL OR l.optical_element = ANY (wanted.elements))
      AND (CAST(:kind AS text) = '' OR l.photometry_kind = :kind)
    ORDER BY l.optical_element, l.photometry_kind, l.midpoint_bjd_tdb, l.exposure_id
) AS point
