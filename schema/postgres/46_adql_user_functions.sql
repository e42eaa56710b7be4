-- User-defined functions of ADQL: HEALPix, astrometry and text as the IVOA's catalogue of such functions defines them
-- (Endorsed Note, version 1.2).

-- Bits of a number put at every second place, and taken from there.
CREATE OR REPLACE FUNCTION adql.spread_bits(x bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
BEGIN
    x := (x | (x << 16)) & 281470681808895;        -- 0x0000FFFF0000FFFF
    x := (x | (x << 8)) & 71777214294589695;       -- 0x00FF00FF00FF00FF
    x := (x | (x << 4)) & 1085102592571150095;     -- 0x0F0F0F0F0F0F0F0F
    x := (x | (x << 2)) & 3689348814741910323;     -- 0x3333333333333333
    RETURN (x | (x << 1)) & 6148914691236517205;   -- 0x5555555555555555
END
$$;
CREATE OR REPLACE FUNCTION adql.gather_bits(x bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
BEGIN
    x := x & 6148914691236517205;
    x := (x | (x >> 1)) & 3689348814741910323;
    x := (x | (x >> 2)) & 1085102592571150095;
    x := (x | (x >> 4)) & 71777214294589695;
    x := (x | (x >> 8)) & 281470681808895;
    RETURN (x | (x >> 16)) & 4294967295;
END
$$;

-- Nested HEALPix pixel of a place (Gorski et al. 2005, ApJ 622, 759, section 5); NULL for an order outside 0 to 29 or
-- no place on the sphere. Near the poles the distance from the pole is used, whose square root does not cancel.
CREATE OR REPLACE FUNCTION adql.healpix_index(p_order integer, lon double precision, lat double precision)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    n_side bigint := CASE WHEN p_order BETWEEN 0 AND 29 THEN 1::bigint << p_order END;
    z double precision := sind(lat);
    quarter double precision := (lon - 360 * floor(lon / 360)) / 90;
    face integer;
    x bigint;
    y bigint;
    up double precision;
    down double precision;
    part double precision;
    edge double precision;
BEGIN
    IF n_side IS NULL OR lat NOT BETWEEN -90 AND 90 OR lon IN ('NaN', 'Infinity', '-Infinity') THEN
        RETURN NULL;
    END IF;
    quarter := CASE WHEN quarter >= 4 THEN 0 ELSE quarter END;
    IF abs(z) <= 2.0 / 3.0 THEN
        up := n_side * (0.5 + quarter - 0.75 * z);
        down := n_side * (0.5 + quarter + 0.75 * z);
        face := CASE
            WHEN floor(up / n_side) = floor(down / n_side) THEN (floor(up / n_side)::integer & 3) | 4
            WHEN floor(up / n_side) < floor(down / n_side) THEN floor(up / n_side)::integer & 3
            ELSE (floor(down / n_side)::integer & 3) + 8
        END;
        x := floor(down)::bigint & (n_side - 1);
        y := n_side - 1 - (floor(up)::bigint & (n_side - 1));
    ELSE
        part := quarter - floor(quarter);
        edge := n_side * sqrt(6.0::double precision) * sind((90 - abs(lat)) / 2);
        x := least(floor(part * edge)::bigint, n_side - 1);
        y := least(floor((1 - part) * edge)::bigint, n_side - 1);
        IF z > 0 THEN
            face := floor(quarter)::integer;
            up := y;
            y := n_side - 1 - x;
            x := n_side - 1 - up::bigint;
        ELSE
            face := floor(quarter)::integer + 8;
        END IF;
    END IF;
    RETURN (face::bigint << (2 * p_order)) + adql.spread_bits(x) + (adql.spread_bits(y) << 1);
END
$$;

-- Centre of a nested HEALPix pixel, [lon, lat]; NULL for an order outside 0 to 29 or a pixel that there is not.
CREATE OR REPLACE FUNCTION adql.healpix_center(p_order integer, pixel bigint) RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    n_side bigint := CASE WHEN p_order BETWEEN 0 AND 29 THEN 1::bigint << p_order END;
    face integer;
    x bigint;
    y bigint;
    ring bigint;
    width bigint;
    shift integer;
    turn bigint;
    lat double precision;
BEGIN
    IF n_side IS NULL OR pixel < 0 OR pixel >= 12 * n_side * n_side THEN
        RETURN NULL;
    END IF;
    face := (pixel >> (2 * p_order))::integer;
    x := adql.gather_bits(pixel & (n_side * n_side - 1));
    y := adql.gather_bits((pixel & (n_side * n_side - 1)) >> 1);
    ring := ((ARRAY[2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])[face + 1] * n_side) - x - y - 1;
    IF ring < n_side THEN
        width := ring;
        lat := 90 - 2 * asind(width / (n_side * sqrt(6.0::double precision)));
    ELSIF ring > 3 * n_side THEN
        width := 4 * n_side - ring;
        lat := 2 * asind(width / (n_side * sqrt(6.0::double precision))) - 90;
    ELSE
        width := n_side;
        lat := asind((2 * n_side - ring) * 2.0 / (3.0 * n_side));
    END IF;
    shift := CASE WHEN ring < n_side OR ring > 3 * n_side THEN 1 ELSE ((ring - n_side) & 1)::integer ^ 1 END;
    turn := (ARRAY[1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])[face + 1] * width + x - y;
    turn := (turn + 8 * width) % (8 * width);
    RETURN ARRAY[turn * 45.0 / width, lat];
END
$$;

-- What is known of a star at another epoch: [lon, lat, parallax, pm_lon, pm_lat, radial velocity] in deg, mas, mas/yr and
-- km/s, by straight motion (Lindegren in ESA 1997, The Hipparcos and Tycho Catalogues, SP-1200, vol. 1, section 1.5.5).
-- NULL stands for what was not given.
CREATE OR REPLACE FUNCTION adql.epoch_prop(
    lon double precision, lat double precision, parallax double precision, pm_lon double precision,
    pm_lat double precision, radial_velocity double precision, ref_epoch double precision, out_epoch double precision
) RETURNS double precision[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
$$
DECLARE
    -- km/s that are one astronomical unit a Julian year; radians of a milliarcsecond
    a_v CONSTANT double precision := 149597870.7 / (365.25 * 86400);
    mas CONSTANT double precision := pi() / (180 * 3600 * 1000.0);
    t double precision := out_epoch - ref_epoch;
    distant boolean := coalesce(parallax, 0) = 0;
    mu_lon double precision := coalesce(pm_lon, 0) * mas;
    mu_lat double precision := coalesce(pm_lat, 0) * mas;
    mu_r double precision := CASE WHEN distant THEN 0 ELSE coalesce(radial_velocity, 0) * parallax * mas / a_v END;
    p double precision[] := ARRAY[-sind(lon), cosd(lon), 0];
    q double precision[] := ARRAY[-sind(lat) * cosd(lon), -sind(lat) * sind(lon), cosd(lat)];
    r double precision[] := adql.unit_vector(lon, lat);
    mu2 double precision := mu_lon ^ 2 + mu_lat ^ 2;
    f double precision := 1 / sqrt(1 + 2 * mu_r * t + (mu2 + mu_r ^ 2) * t ^ 2);
    u double precision[];
    v double precision[];
    place double precision[];
    radial double precision;
    moves boolean := pm_lon IS NOT NULL AND pm_lat IS NOT NULL;
BEGIN
    IF lon IS NULL OR lat IS NULL OR ref_epoch IS NULL OR out_epoch IS NULL THEN
        RAISE EXCEPTION 'ivo_epoch_prop: position and epochs must not be NULL' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    FOR i IN 1 .. 3 LOOP
        u[i] := (r[i] * (1 + mu_r * t) + (p[i] * mu_lon + q[i] * mu_lat) * t) * f;
        v[i] := ((p[i] * mu_lon + q[i] * mu_lat) * (1 + mu_r * t) - r[i] * mu2 * t) * f ^ 3;
    END LOOP;
    place := adql.place_of(u);
    radial := (mu_r + (mu2 + mu_r ^ 2) * t) * f ^ 2;
    RETURN ARRAY[
        place[1], place[2], parallax * f,
        CASE WHEN moves THEN (v[2] * cosd(place[1]) - v[1] * sind(place[1])) / mas END,
        CASE WHEN moves THEN
            (v[3] * cosd(place[2]) - sind(place[2]) * (v[1] * cosd(place[1]) + v[2] * sind(place[1]))) / mas
        END,
        CASE WHEN radial_velocity IS NULL OR distant THEN radial_velocity ELSE radial * a_v / (parallax * f * mas) END
    ];
END
$$;

CREATE OR REPLACE FUNCTION adql.hasword(haystack text, needle text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT (to_tsvector('english'::regconfig, haystack) @@ plainto_tsquery('english'::regconfig, needle))::integer $$;
CREATE OR REPLACE FUNCTION adql.hashlist_has(hashlist text, item text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT (position('#' IN item) = 0 AND lower(item) = ANY(string_to_array(lower(hashlist), '#')))::integer $$;
CREATE OR REPLACE FUNCTION adql.interval_overlaps(
    a1 double precision, b1 double precision, a2 double precision, b2 double precision
) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT (a1 <= b1 AND a2 <= b2 AND a1 <= b2 AND a2 <= b1)::integer $$;
CREATE OR REPLACE FUNCTION adql.julian_date(moment timestamp with time zone) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT 2440587.5 + extract(epoch FROM moment)::double precision / 86400 $$;
CREATE OR REPLACE FUNCTION adql.modified_julian_date(moment timestamp with time zone) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT 40587 + extract(epoch FROM moment)::double precision / 86400 $$;

-- Standard error of an AB magnitude, to first order: 2.5 / ln(10) of the relative error; NULL where flux is not positive.
CREATE OR REPLACE FUNCTION adql.ab_magnitude_error(flux double precision, flux_err double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE WHEN flux > 0 AND flux < 'Infinity' THEN 2.5 / ln(10.0::double precision) * flux_err / flux END $$;
