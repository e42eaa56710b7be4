-- Light curves of objects, one row a segment with the arrays of its block, object after object in order of their
-- identifiers, and block after block in each element: what roman.light_curve has, whose rows are made of the arrays by
-- whoever reads them (roman_db/vo/time_series_rows.py), which is several times as fast.
-- Reads: roman.object, roman.light_curve_segment, roman.light_curve_block
-- Grain: segment of an object
-- Parameters:
--   object_ids: identifiers of objects, as an array of integers
--   elements: optical element wanted of each of them, as an array of text; empty text for all
--   ra: right ascensions (ICRS, deg) of places whose objects are wanted, as an array
--   dec: declinations of the places, as an array
--   radius: how far from a place an object may be, deg
--   kind: kind of photometry; empty text for all
--   first: time at whose day a block must not have ended, MJD (TDB); infinite for any
--   last: time by which it must have begun
--   shortest: wavelength (m) that an element must reach at least; infinite for any
--   longest: wavelength (m) at which it must begin at most
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
SELECT wanted.object_id, o.ra, o.dec, segment.*
FROM wanted
JOIN roman.object o ON o.object_id = wanted.object_id
CROSS JOIN LATERAL (
    SELECT b.optical_element, b.photometry_kind, b.midpoint_bjd_tdb, b.midpoint_mjd_tdb, s.flux, s.flux_err,
           roman.expand_flag_run(s.flag_run, b.n_epoch) AS flags, b.exposure_id, b.detector, b.catalog_version_id,
           b.load_run_id
    FROM roman.light_curve_segment s
    JOIN roman.light_curve_block b
        ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
    WHERE s.object_id = wanted.object_id
      AND (wanted.elements IS NULL OR b.optical_element = ANY (wanted.elements))
      AND (CAST(:kind AS text) = '' OR b.photometry_kind = :kind)
      AND b.start_mjd <= CAST(:last AS float8)
      AND b.end_mjd > floor(CAST(:first AS float8))
      AND (
          (CAST(:shortest AS float8) = '-Infinity' AND CAST(:longest AS float8) = 'Infinity')
          OR b.optical_element IN (
              SELECT e.optical_element FROM roman.optical_element e
              WHERE 1e-6 * e.wavelength_max >= CAST(:shortest AS float8)
                AND 1e-6 * e.wavelength_min <= CAST(:longest AS float8)
          )
      )
    ORDER BY b.optical_element, b.photometry_kind, b.start_mjd, b.block_id
) AS segment
