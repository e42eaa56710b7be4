-- Light curves of objects, one row a point, object after object in order of their identifiers, and block after block
-- in each element: what roman.light_curve has, but segments are put in order instead of points, which takes half.
-- Reads: roman.object, roman.light_curve_segment, roman.light_curve_block
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
SELECT wanted.object_id, o.ra, o.dec, point.optical_element, point.photometry_kind, point.midpoint_bjd_tdb,
       point.midpoint_mjd_tdb, point.flux, point.flux_err, roman.ab_magnitude(point.flux) AS ab_mag,
       CAST(1.0857362 AS float8) * point.flux_err / nullif(greatest(point.flux, 0), 0) AS ab_mag_err,
       coalesce(point.flags, 0) AS flags, point.exposure_id, point.detector, point.catalog_version_id,
       point.load_run_id
FROM wanted
JOIN roman.object o ON o.object_id = wanted.object_id
CROSS JOIN LATERAL (
    SELECT optical_element, photometry_kind, detector, catalog_version_id, load_run_id,
           unnest(exposure_id) AS exposure_id, unnest(midpoint_mjd_tdb) AS midpoint_mjd_tdb,
           unnest(midpoint_bjd_tdb) AS midpoint_bjd_tdb, unnest(flux) AS flux, unnest(flux_err) AS flux_err,
           unnest(roman.expand_flag_run(flag_run, n_epoch)) AS flags
    FROM (
        SELECT b.optical_element, b.photometry_kind, b.detector, b.catalog_version_id, b.load_run_id, b.n_epoch,
               b.exposure_id, b.midpoint_mjd_tdb, b.midpoint_bjd_tdb, s.flux, s.flux_err, s.flag_run
        FROM roman.light_curve_segment s
        JOIN roman.light_curve_block b
            ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
        WHERE s.object_id = wanted.object_id
          AND (wanted.elements IS NULL OR b.optical_element = ANY (wanted.elements))
          AND (CAST(:kind AS text) = '' OR b.photometry_kind = :kind)
        ORDER BY b.optical_element, b.photometry_kind, b.start_mjd, b.block_id
    ) AS segment
) AS point
WHERE point.flux <> 'NaN'::real OR point.flags <> 0
