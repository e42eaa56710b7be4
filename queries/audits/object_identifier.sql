-- Objects that are far from the HEALPix pixel that is their identifier.
-- Parameters:
--   tolerance = 5: distance from the centre of the pixel, arcsec; the position may be refined and move on
-- Note: a nested pixel holds the number of one of twelve faces above 29 bits each of x and y, interleaved;
--   the centre follows from Gorski et al. (2005, ApJ 622, 759), section 5 and appendix A.
WITH interleaved AS (
    SELECT object_id, ra, dec, CAST(object_id >> 58 AS integer) AS face,
           object_id & 6148914691236517205 AS even, object_id >> 1 & 6148914691236517205 AS odd
    FROM roman.object
), paired AS (
    SELECT object_id, ra, dec, face & 15 AS face,
           (even | (even >> 1)) & 3689348814741910323 AS even, (odd | (odd >> 1)) & 3689348814741910323 AS odd
    FROM interleaved
), nibbled AS (
    SELECT object_id, ra, dec, face,
           (even | (even >> 2)) & 1085102592571150095 AS even, (odd | (odd >> 2)) & 1085102592571150095 AS odd
    FROM paired
), bytewise AS (
    SELECT object_id, ra, dec, face,
           (even | (even >> 4)) & 71777214294589695 AS even, (odd | (odd >> 4)) & 71777214294589695 AS odd
    FROM nibbled
), halved AS (
    SELECT object_id, ra, dec, face,
           (even | (even >> 8)) & 281470681808895 AS even, (odd | (odd >> 8)) & 281470681808895 AS odd
    FROM bytewise
), located AS (
    -- x and y within the face, from 0 to 1.
    SELECT object_id, ra, dec, face,
           (((even | (even >> 16)) & 536870911) + 0.5) / 536870912.0 AS x,
           (((odd | (odd >> 16)) & 536870911) + 0.5) / 536870912.0 AS y
    FROM halved
), ring AS (
    -- Distance of the ring from the north pole in units of a face, and place along it.
    SELECT object_id, ra, dec,
           CAST((ARRAY[2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])[face + 1] - x - y AS double precision) AS r,
           (ARRAY[1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])[face + 1] AS p, CAST(x - y AS double precision) AS d
    FROM located
), pixel AS (
    SELECT object_id, ra, dec,
           CASE WHEN r < 1 THEN 1 - r ^ 2 / 3 WHEN r > 3 THEN (4 - r) ^ 2 / 3 - 1
                ELSE (2 - r) * 2 / 3 END AS z,
           45 * (p + d / CASE WHEN r < 1 THEN r WHEN r > 3 THEN 4 - r ELSE 1 END) AS phi
    FROM ring
)
SELECT object_id, ra, dec, phi AS pixel_ra, asind(z) AS pixel_dec,
       3600 * q3c_dist(ra, dec, phi, asind(z)) AS distance_arcsec
FROM pixel
WHERE phi IS NULL OR NOT q3c_dist(ra, dec, phi, asind(z)) <= CAST(:tolerance AS double precision) / 3600;
