-- Functions that translated ADQL calls (roman_db/tap/adql): a number is NULL where a function is not defined, so that one
-- row does not end a query. Angles are in degrees; geometries are arrays as DALI 1.1 (section 3.3) writes them: a point is
-- [lon, lat], a circle [lon, lat, radius], a polygon [lon, lat, lon, lat ...]. Sides of polygons are great circles; a
-- polygon is smaller than half the sky, whichever way round it is written.
CREATE SCHEMA IF NOT EXISTS adql;
COMMENT ON SCHEMA adql IS 'Functions of the query language ADQL';

CREATE OR REPLACE FUNCTION adql.log10(x double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT log(CASE WHEN x > 0 THEN x END) $$;
CREATE OR REPLACE FUNCTION adql.ln(x double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT ln(CASE WHEN x > 0 THEN x END) $$;
CREATE OR REPLACE FUNCTION adql.sqrt(x double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT sqrt(CASE WHEN x >= 0 THEN x END) $$;
CREATE OR REPLACE FUNCTION adql.asin(x double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT asin(CASE WHEN x BETWEEN -1 AND 1 THEN x END) $$;
CREATE OR REPLACE FUNCTION adql.acos(x double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT acos(CASE WHEN x BETWEEN -1 AND 1 THEN x END) $$;
CREATE OR REPLACE FUNCTION adql.exp(x double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN x < -708 THEN 0 WHEN x <= 709.78 OR x = 'NaN' THEN exp(x) END $$;
CREATE OR REPLACE FUNCTION adql.power(x double precision, y double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE
        WHEN x = 0 AND y < 0 OR x < 0 AND y <> floor(y) THEN NULL
        WHEN x = 0 OR x = 'NaN' OR y = 'NaN' THEN power(x, y)
        WHEN y * ln(abs(x)) < -708 THEN 0
        WHEN y * ln(abs(x)) <= 709.78 THEN power(x, y)
    END
$$;

-- Remainder with the sign of x, as C's fmod: that of the quotient cut to a whole number.
CREATE OR REPLACE FUNCTION adql.mod(x double precision, y double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE WHEN r * x < 0 THEN r + sign(x) * abs(y) WHEN abs(r) >= abs(y) THEN r - sign(x) * abs(y) ELSE r END
    FROM (SELECT x - y * trunc(x / nullif(y, 0)) AS r) AS quotient
$$;

-- Rounded, or cut, to n decimals; to tens, hundreds ... where n is negative. Halves go to the even neighbour.
CREATE OR REPLACE FUNCTION adql.round(x double precision, n integer) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE
        WHEN n > 15 OR abs(x) > 1e290 THEN x WHEN n < -300 THEN 0
        WHEN n >= 0 THEN round(x * power(10.0::double precision, n)) / power(10.0::double precision, n)
        ELSE round(x / power(10.0::double precision, -n)) * power(10.0::double precision, -n)
    END
$$;
CREATE OR REPLACE FUNCTION adql.truncate(x double precision, n integer) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE
        WHEN n > 15 OR abs(x) > 1e290 THEN x WHEN n < -300 THEN 0
        WHEN n >= 0 THEN trunc(x * power(10.0::double precision, n)) / power(10.0::double precision, n)
        ELSE trunc(x / power(10.0::double precision, -n)) * power(10.0::double precision, -n)
    END
$$;

-- Angle between two places (Vincenty's formula): right for the smallest angles and for opposite places.
CREATE OR REPLACE FUNCTION adql.distance(
    lon1 double precision, lat1 double precision, lon2 double precision, lat2 double precision
) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$
    SELECT atan2d(
        sqrt((cosd(lat2) * sind(lon2 - lon1)) ^ 2
             + (cosd(lat1) * sind(lat2) - sind(lat1) * cosd(lat2) * cosd(lon2 - lon1)) ^ 2),
        sind(lat1) * sind(lat2) + cosd(lat1) * cosd(lat2) * cosd(lon2 - lon1)
    )
$$;

-- Geometries from numbers: NULL where one of them is.
CREATE OR REPLACE FUNCTION adql.geometry(VARIADIC parts double precision[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE WHEN array_position(parts, NULL) IS NULL THEN parts END $$;

-- Geometry from a text as DALI writes it: numbers with spaces between them.
CREATE OR REPLACE FUNCTION adql.geometry_of_text(numbers text, smallest integer, largest integer)
RETURNS double precision[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    parts double precision[] := regexp_split_to_array(trim(numbers), '\s+')::double precision[];
BEGIN
    RETURN CASE WHEN cardinality(parts) BETWEEN smallest AND largest AND cardinality(parts) % 2 = smallest % 2 THEN parts END;
END
$$;

CREATE OR REPLACE FUNCTION adql.unit_vector(lon double precision, lat double precision) RETURNS double precision[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT ARRAY[cosd(lat) * cosd(lon), cosd(lat) * sind(lon), sind(lat)] $$;
CREATE OR REPLACE FUNCTION adql.dot(a double precision[], b double precision[]) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT a[1] * b[1] + a[2] * b[2] + a[3] * b[3] $$;
CREATE OR REPLACE FUNCTION adql.cross_product(a double precision[], b double precision[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT ARRAY[a[2] * b[3] - a[3] * b[2], a[3] * b[1] - a[1] * b[3], a[1] * b[2] - a[2] * b[1]] $$;
CREATE OR REPLACE FUNCTION adql.norm(a double precision[]) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT sqrt(a[1] * a[1] + a[2] * a[2] + a[3] * a[3]) $$;
CREATE OR REPLACE FUNCTION adql.place_of(a double precision[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$
    SELECT ARRAY[CASE WHEN lon < 0 THEN lon + 360 ELSE lon END, atan2d(a[3], sqrt(a[1] * a[1] + a[2] * a[2]))]
    FROM (SELECT atan2d(a[2], a[1]) AS lon) AS longitude
$$;

-- Box as a polygon (ADQL 2.1, section 4.2.9): its sides are great circles that cross the arms of a cross at right
-- angles at their ends, which makes it a rectangle in the plane that touches the sphere in the centre.
CREATE OR REPLACE FUNCTION adql.box(
    lon double precision, lat double precision, width double precision, height double precision
) RETURNS double precision[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$
    SELECT array_agg(part ORDER BY corner, ordinal)
    FROM unnest(ARRAY[-1, 1, 1, -1], ARRAY[-1, -1, 1, 1]) WITH ORDINALITY AS corners (east, north, corner)
    CROSS JOIN LATERAL unnest(adql.place_of(ARRAY[
        cosd(lat) * cosd(lon) - tand(east * width / 2) * sind(lon) - tand(north * height / 2) * sind(lat) * cosd(lon),
        cosd(lat) * sind(lon) + tand(east * width / 2) * cosd(lon) - tand(north * height / 2) * sind(lat) * sind(lon),
        sind(lat) + tand(north * height / 2) * cosd(lat)
    ])) WITH ORDINALITY AS place (part, ordinal)
    WHERE width >= 0 AND width < 180 AND height >= 0 AND height < 180
$$;

-- Corners of a polygon as unit vectors, one a row of three, the first again at the end.
CREATE OR REPLACE FUNCTION adql.corners(polygon double precision[]) RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    n integer := cardinality(polygon) / 2;
    corners double precision[] := '{}';
BEGIN
    FOR i IN 0 .. n LOOP
        corners := corners || ARRAY[adql.unit_vector(polygon[2 * (i % n) + 1], polygon[2 * (i % n) + 2])];
    END LOOP;
    RETURN corners;
END
$$;

-- First moment of a polygon: half the sum over its sides of their length times their pole (Minkowski; Brock 1975,
-- J. Appl. Math. Phys. 26, 65). It points to the centroid where the corners run counterclockwise, else away from it.
CREATE OR REPLACE FUNCTION adql.moment(corners double precision[]) RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    total double precision[] := ARRAY[0, 0, 0];
    a double precision[];
    b double precision[];
    pole double precision[];
    weight double precision;
BEGIN
    FOR i IN 1 .. array_length(corners, 1) - 1 LOOP
        a := ARRAY[corners[i][1], corners[i][2], corners[i][3]];
        b := ARRAY[corners[i + 1][1], corners[i + 1][2], corners[i + 1][3]];
        pole := adql.cross_product(a, b);
        weight := coalesce(atan2(adql.norm(pole), adql.dot(a, b)) / nullif(adql.norm(pole), 0), 0) / 2;
        total := ARRAY[total[1] + weight * pole[1], total[2] + weight * pole[2], total[3] + weight * pole[3]];
    END LOOP;
    RETURN total;
END
$$;

-- Sum of the corners: a direction from which all of a polygon that is smaller than half the sky is seen.
CREATE OR REPLACE FUNCTION adql.middle(corners double precision[]) RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    total double precision[] := ARRAY[0, 0, 0];
BEGIN
    FOR i IN 2 .. array_length(corners, 1) LOOP
        total := ARRAY[total[1] + corners[i][1], total[2] + corners[i][2], total[3] + corners[i][3]];
    END LOOP;
    RETURN total;
END
$$;

CREATE OR REPLACE FUNCTION adql.polygon_centroid(polygon double precision[]) RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    corners double precision[] := adql.corners(polygon);
    moment double precision[] := adql.moment(corners);
    side double precision := CASE WHEN adql.dot(moment, adql.middle(corners)) < 0 THEN -1 ELSE 1 END;
BEGIN
    IF adql.norm(moment) < 1e-30 THEN
        RETURN adql.place_of(adql.middle(corners));  -- no area: all corners lie in one place or on one line
    END IF;
    RETURN adql.place_of(ARRAY[side * moment[1], side * moment[2], side * moment[3]]);
END
$$;

-- Area in square degrees: the sum of the triangles from the first corner (solid angles after Van Oosterom & Strackee
-- 1983, IEEE Trans. Biomed. Eng. 30, 125), each with its sign.
CREATE OR REPLACE FUNCTION adql.polygon_area(polygon double precision[]) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    corners double precision[] := adql.corners(polygon);
    a double precision[] := ARRAY[corners[1][1], corners[1][2], corners[1][3]];
    b double precision[];
    c double precision[];
    total double precision := 0;
BEGIN
    FOR i IN 2 .. array_length(corners, 1) - 2 LOOP
        b := ARRAY[corners[i][1], corners[i][2], corners[i][3]];
        c := ARRAY[corners[i + 1][1], corners[i + 1][2], corners[i + 1][3]];
        total := total + 2 * atan2(
            adql.dot(a, adql.cross_product(b, c)), 1 + adql.dot(a, b) + adql.dot(b, c) + adql.dot(c, a)
        );
    END LOOP;
    RETURN degrees(degrees(least(abs(total), 4 * pi() - abs(total))));
END
$$;
CREATE OR REPLACE FUNCTION adql.circle_area(radius double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE WHEN radius BETWEEN 0 AND 180 THEN degrees(degrees(4 * pi() * sind(radius / 2) ^ 2)) END $$;

-- Whether a place is in a polygon: how often a half line from it crosses the sides, in the plane that touches the
-- sphere in the polygon's middle and on which great circles are straight.
CREATE OR REPLACE FUNCTION adql.polygon_contains(
    polygon double precision[], lon double precision, lat double precision
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    corners double precision[] := adql.corners(polygon);
    middle double precision[] := adql.middle(corners);
    centre double precision[] := adql.place_of(middle);
    east double precision[] := ARRAY[-sind(centre[1]), cosd(centre[1]), 0];
    north double precision[] := ARRAY[-sind(centre[2]) * cosd(centre[1]), -sind(centre[2]) * sind(centre[1]), cosd(centre[2])];
    front double precision[] := adql.unit_vector(centre[1], centre[2]);
    place double precision[] := adql.unit_vector(lon, lat);
    depth double precision := adql.dot(place, front);
    x double precision := adql.dot(place, east) / nullif(depth, 0);
    y double precision := adql.dot(place, north) / nullif(depth, 0);
    corner double precision[];
    x1 double precision;
    y1 double precision;
    x2 double precision;
    y2 double precision;
    inside boolean := false;
BEGIN
    IF depth <= 0 THEN
        RETURN false;
    END IF;
    FOR i IN 1 .. array_length(corners, 1) LOOP
        corner := ARRAY[corners[i][1], corners[i][2], corners[i][3]];
        IF adql.dot(corner, front) <= 0 THEN
            RETURN NULL;  -- a corner more than 90 degrees from the middle: not smaller than half the sky
        END IF;
        x2 := adql.dot(corner, east) / adql.dot(corner, front);
        y2 := adql.dot(corner, north) / adql.dot(corner, front);
        IF i > 1 AND (y1 > y) <> (y2 > y) AND x < x1 + (y - y1) / (y2 - y1) * (x2 - x1) THEN
            inside := NOT inside;
        END IF;
        x1 := x2;
        y1 := y2;
    END LOOP;
    RETURN inside;
END
$$;

-- Distance in degrees from a place to the nearest point of the sides of a polygon.
CREATE OR REPLACE FUNCTION adql.distance_to_sides(
    polygon double precision[], lon double precision, lat double precision
) RETURNS double precision LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    corners double precision[] := adql.corners(polygon);
    place double precision[] := adql.unit_vector(lon, lat);
    nearest double precision := 180;
    a double precision[];
    b double precision[];
    pole double precision[];
    height double precision;
BEGIN
    FOR i IN 1 .. array_length(corners, 1) - 1 LOOP
        a := ARRAY[corners[i][1], corners[i][2], corners[i][3]];
        b := ARRAY[corners[i + 1][1], corners[i + 1][2], corners[i + 1][3]];
        pole := adql.cross_product(a, b);
        nearest := least(nearest, atan2d(adql.norm(adql.cross_product(place, a)), adql.dot(place, a)));
        height := adql.dot(place, pole) / nullif(adql.norm(pole), 0);
        -- The foot of the perpendicular lies between both ends.
        IF adql.dot(adql.cross_product(pole, a), place) > 0 AND adql.dot(adql.cross_product(b, pole), place) > 0 THEN
            nearest := least(nearest, abs(asind(least(greatest(height, -1), 1))));
        END IF;
    END LOOP;
    RETURN nearest;
END
$$;

-- Whether any side of one polygon crosses one of another.
CREATE OR REPLACE FUNCTION adql.sides_cross(one double precision[], other double precision[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    p double precision[] := adql.corners(one);
    q double precision[] := adql.corners(other);
    a double precision[];
    b double precision[];
    c double precision[];
    d double precision[];
    line double precision[];
BEGIN
    FOR i IN 1 .. array_length(p, 1) - 1 LOOP
        a := ARRAY[p[i][1], p[i][2], p[i][3]];
        b := ARRAY[p[i + 1][1], p[i + 1][2], p[i + 1][3]];
        FOR j IN 1 .. array_length(q, 1) - 1 LOOP
            c := ARRAY[q[j][1], q[j][2], q[j][3]];
            d := ARRAY[q[j + 1][1], q[j + 1][2], q[j + 1][3]];
            line := adql.cross_product(adql.cross_product(a, b), adql.cross_product(c, d));
            IF sign(adql.dot(adql.cross_product(a, b), c)) * sign(adql.dot(adql.cross_product(a, b), d)) < 0
               AND sign(adql.dot(adql.cross_product(c, d), a)) * sign(adql.dot(adql.cross_product(c, d), b)) < 0
               AND adql.dot(line, ARRAY[a[1] + b[1], a[2] + b[2], a[3] + b[3]])
                   * adql.dot(line, ARRAY[c[1] + d[1], c[2] + d[2], c[3] + d[3]]) > 0 THEN
                RETURN true;
            END IF;
        END LOOP;
    END LOOP;
    RETURN false;
END
$$;

CREATE OR REPLACE FUNCTION adql.corners_within(
    polygon double precision[], lon double precision, lat double precision, radius double precision
) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$
    SELECT bool_and(adql.distance(polygon[2 * i - 1], polygon[2 * i], lon, lat) <= radius)
    FROM generate_series(1, cardinality(polygon) / 2) AS i
$$;
CREATE OR REPLACE FUNCTION adql.polygon_in_polygon(inner_one double precision[], outer_one double precision[])
RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$
    SELECT bool_and(adql.polygon_contains(outer_one, inner_one[2 * i - 1], inner_one[2 * i]))
           AND NOT adql.sides_cross(inner_one, outer_one)
    FROM generate_series(1, cardinality(inner_one) / 2) AS i
$$;
CREATE OR REPLACE FUNCTION adql.polygons_intersect(one double precision[], other double precision[]) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$
    SELECT adql.polygon_contains(other, one[1], one[2]) OR adql.polygon_contains(one, other[1], other[2])
           OR adql.sides_cross(one, other)
$$;
