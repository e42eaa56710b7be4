-- Find light that appeared where no object is, at one place in the differences of several exposures of a field: a
-- single one may be an asteroid or a hit, and where many exposures looked some agree by chance. Two sources are at
-- one place if they are nearer than three standard errors of both together, with a floor for what errors do not know of, and in any case than half a pixel.
-- Of the sources at a place the most significant is its head; where it is, is the weighted mean of all of them.
-- Grain: one row a source that belongs to such a place; place: number of the place; ra, dec, ra_err, dec_err, epoch:
--   of the place.
-- Reads: roman.dia_source, roman.difference_image, roman.exposure.
-- Writes: nothing.
-- Parameters:
--   field_id: only exposures of this field; all if empty
--   fewest: array of how many exposures must show it: where one, two ... exposures of the field looked
--   pixel: side of a detector pixel, arcsec
--   sigmas: standard errors
--   floor: error (arcsec) that every distance is granted
--   most: arcsec beyond which sources are not at the same place
WITH alone AS (
    SELECT
        s.difference_image_id, s.source_number, s.ra, s.dec, s.ra_err, s.dec_err, s.midpoint_mjd_tdb, e.field_id,
        d.exposure_id, abs(s.psf_flux) / s.psf_flux_err AS significance
    FROM roman.dia_source AS s
    JOIN roman.difference_image AS d ON d.difference_image_id = s.difference_image_id
    JOIN roman.exposure AS e ON e.exposure_id = d.exposure_id
    WHERE
        d.superseded_at IS NULL AND s.kind = 'new' AND s.psf_flux > 0 AND s.object_id IS NULL
        AND s.ra_err > 0 AND s.dec_err > 0
        AND e.field_id = coalesce(CAST(:field_id AS integer), e.field_id)
),

pair AS (
    SELECT
        a.difference_image_id, a.source_number, b.difference_image_id AS other_image, b.source_number AS other_number,
        b.exposure_id, a.significance, b.significance AS other_significance, b.field_id
    FROM alone AS a
    JOIN roman.dia_source AS t ON q3c_join(a.ra, a.dec, t.ra, t.dec, CAST(:most AS double precision) / 3600)
    JOIN alone AS b ON b.difference_image_id = t.difference_image_id AND b.source_number = t.source_number
    WHERE
        b.field_id = a.field_id
        AND 3600 * q3c_dist(a.ra, a.dec, b.ra, b.dec) <= sqrt(
            CAST(:floor AS double precision) ^ 2
            + CAST(:sigmas AS double precision) ^ 2
            * (a.ra_err ^ 2 + a.dec_err ^ 2 + b.ra_err ^ 2 + b.dec_err ^ 2) / 1e6
        )
),

candidate AS (
    SELECT difference_image_id, source_number, field_id, count(DISTINCT exposure_id) AS n_seen
    FROM pair
    GROUP BY difference_image_id, source_number, field_id, significance
    HAVING
        count(DISTINCT exposure_id) > 1
        AND bool_and(
            (significance, difference_image_id, source_number) >= (other_significance, other_image, other_number)
        )
),

-- Exposures that were compared, by detector and pointing to some ten arcsec: a circle that holds all their corners.
pointing AS (
    SELECT
        e.field_id, avg(e.ra) AS ra, avg(e.dec) AS dec, count(*) AS n_exposure,
        max(sqrt(e.n_x ^ 2 + e.n_y ^ 2)) / 2 * CAST(:pixel AS double precision) / 3600 + 0.003 AS radius
    FROM roman.difference_image AS d
    JOIN roman.exposure AS e ON e.exposure_id = d.exposure_id
    WHERE d.superseded_at IS NULL AND e.field_id IN (SELECT c.field_id FROM candidate AS c)
    GROUP BY e.field_id, e.detector, round(e.ra / 0.003), round(e.dec / 0.003)
),

head AS (
    SELECT
        c.difference_image_id, c.source_number,
        row_number() OVER (ORDER BY c.difference_image_id, c.source_number) AS place
    FROM candidate AS c
    JOIN alone AS a ON a.difference_image_id = c.difference_image_id AND a.source_number = c.source_number
    JOIN LATERAL (
        SELECT sum(p.n_exposure) AS n_exposure
        FROM pointing AS p
        WHERE p.field_id = c.field_id AND q3c_dist(p.ra, p.dec, a.ra, a.dec) <= p.radius
    ) AS looked ON TRUE
    WHERE c.n_seen >= (CAST(:fewest AS integer [])) [CAST(greatest(looked.n_exposure, c.n_seen) AS integer)]
),

member AS (
    SELECT DISTINCT ON (p.other_image, p.other_number)
        p.other_image AS difference_image_id, p.other_number AS source_number, h.place, a.ra AS head_ra
    FROM head AS h
    JOIN alone AS a ON a.difference_image_id = h.difference_image_id AND a.source_number = h.source_number
    JOIN pair AS p ON p.difference_image_id = h.difference_image_id AND p.source_number = h.source_number
    ORDER BY p.other_image, p.other_number, p.significance DESC
),

offset_member AS (
    SELECT
        m.place, m.head_ra, a.*,
        -- Where right ascension passes 360 degrees, too.
        a.ra - m.head_ra - 360 * round((a.ra - m.head_ra) / 360) AS ra_offset
    FROM member AS m
    JOIN alone AS a ON a.difference_image_id = m.difference_image_id AND a.source_number = m.source_number
)

SELECT
    place, difference_image_id, source_number, field_id,
    head_ra + sum(ra_offset / ra_err ^ 2) OVER of_place / sum(1 / ra_err ^ 2) OVER of_place AS ra,
    sum(dec / dec_err ^ 2) OVER of_place / sum(1 / dec_err ^ 2) OVER of_place AS dec,
    1 / sqrt(sum(1 / ra_err ^ 2) OVER of_place) AS ra_err,
    1 / sqrt(sum(1 / dec_err ^ 2) OVER of_place) AS dec_err,
    avg(midpoint_mjd_tdb) OVER of_place AS epoch_mjd_tdb
FROM offset_member
WINDOW of_place AS (PARTITION BY place)
ORDER BY place, difference_image_id, source_number
