-- Functions that the views and the readers of light curves use.

-- Photometry flags of every epoch from their runs; NULL where no epoch is flagged.
CREATE OR REPLACE FUNCTION roman.expand_flag_run(flag_run bigint[], n_epoch integer) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    flags integer[] := array_fill(0, ARRAY[n_epoch]);
    run bigint;
    first integer;
    length integer;
BEGIN
    FOREACH run IN ARRAY flag_run LOOP
        first := (run >> 32)::integer + 1;
        length := ((run >> 16) & 65535)::integer;
        flags[first : first + length - 1] := array_fill((run & 65535)::integer, ARRAY[length]);
    END LOOP;
    RETURN flags;
END
$$;
COMMENT ON FUNCTION roman.expand_flag_run(bigint[], integer) IS
'Photometry flags of every exposure of a block from the runs of a segment; NULL where nothing is flagged';

-- AB magnitude of a flux density in nJy: -2.5 log10(flux / 3631 Jy) (Oke & Gunn 1983); NULL where it is not positive.
-- Not STRICT, which would keep the planner from putting it in line: that takes ten times as long.
CREATE OR REPLACE FUNCTION roman.ab_magnitude(flux double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN flux > 0 AND flux < 'Infinity' THEN 31.400066 - 2.5 * log(flux) END $$;
COMMENT ON FUNCTION roman.ab_magnitude(double precision) IS
'AB magnitude of a flux density in nJy; NULL where the flux is not a positive number';

-- Join arrays in the order of an aggregate, whatever their lengths.
CREATE OR REPLACE AGGREGATE roman.array_concat(anycompatiblearray) (
    SFUNC = array_cat, STYPE = anycompatiblearray, PARALLEL = SAFE
);
COMMENT ON AGGREGATE roman.array_concat(anycompatiblearray) IS
'Arrays joined end to end in the order of the aggregate';

-- Days of a season: [start, end) in MJD TDB; stable, so that partitions outside it are not looked at.
CREATE OR REPLACE FUNCTION roman.season_start(p_survey text, p_season integer) RETURNS integer
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS
$$ SELECT start_mjd FROM roman.season WHERE survey = p_survey AND season = p_season $$;
CREATE OR REPLACE FUNCTION roman.season_end(p_survey text, p_season integer) RETURNS integer
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS
$$ SELECT end_mjd FROM roman.season WHERE survey = p_survey AND season = p_season $$;
COMMENT ON FUNCTION roman.season_start(text, integer) IS 'First day of a season, MJD TDB';
COMMENT ON FUNCTION roman.season_end(text, integer) IS 'First day after a season, MJD TDB';

-- Whether results of an object in a season are a survey's: one row if they are, none if not. Results of a season are of all
-- light curves of its days, whosever fields they are of; where there are blocks of another survey, this one must have
-- a light curve of the object. A set and not STRICT, so that the planner puts it in line and asks for the blocks once.
CREATE OR REPLACE FUNCTION roman.measured_by_survey(
    p_survey text, p_season smallint, p_photometry_kind text, p_object_id bigint
) RETURNS SETOF boolean LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 AS
$$
    SELECT true
    WHERE NOT EXISTS (
        SELECT FROM roman.light_curve_block b JOIN roman.field f ON f.field_id = b.field_id
        WHERE f.survey <> p_survey AND b.superseded_at IS NULL
    ) OR EXISTS (
        SELECT FROM roman.light_curve_summary s
        JOIN roman.light_curve_block b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
        JOIN roman.season n ON n.start_mjd <= b.start_mjd AND b.start_mjd < n.end_mjd
        LEFT JOIN roman.field f ON f.field_id = b.field_id
        WHERE s.object_id = p_object_id AND b.superseded_at IS NULL AND b.photometry_kind = p_photometry_kind
            AND n.survey = p_survey AND p_season IN (0, n.season) AND coalesce(f.survey, n.survey) = n.survey
    )
$$;
COMMENT ON FUNCTION roman.measured_by_survey(text, smallint, text, bigint) IS
'One row where a survey has light curves of an object in a season (0: in any) or no other survey has blocks; else none';

-- Combined spectra of a program in an optical element, each with the file of the archive that it goes to: exposures of the
-- program went into it, maybe beside those of others. Files have 10,000 objects, in the order of their identifiers, which
-- is that of cells of the sky.
CREATE OR REPLACE FUNCTION roman.program_spectrum(p_program integer, p_optical_element text) RETURNS TABLE (
    spectrum_id bigint, object_id bigint, file_number integer
) LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT s.spectrum_id, s.object_id,
           CAST((row_number() OVER (ORDER BY s.object_id, s.spectrum_id) - 1) / 10000 + 1 AS integer)
    FROM roman.spectrum s
    WHERE s.optical_element = p_optical_element AND s.superseded_at IS NULL AND EXISTS (
        SELECT FROM roman.spectrum_part m
        JOIN roman.spectral_extraction x ON x.spectral_extraction_id = m.spectral_extraction_id
        JOIN roman.exposure e ON e.exposure_id = x.exposure_id
        JOIN roman.visit v ON v.visit_id = e.visit_id
        WHERE m.spectrum_id = s.spectrum_id AND v.program = p_program
    )
$$;
COMMENT ON FUNCTION roman.program_spectrum(integer, text) IS
'Current combined spectra that exposures of a program went into, and the file of the archive that each goes to';

-- The object catalog as it was when a version had been loaded.
CREATE OR REPLACE FUNCTION roman.object_at(p_catalog_version_id bigint) RETURNS TABLE (
    object_id bigint, ra double precision, "dec" double precision, ra_err real, dec_err real,
    ref_epoch double precision, pm_ra real, pm_dec real, pm_ra_err real, pm_dec_err real,
    parallax real, parallax_err real, catalog_version_id bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT a.* FROM (
        SELECT o.object_id, o.ra, o.dec, o.ra_err, o.dec_err, o.ref_epoch, o.pm_ra, o.pm_dec,
               o.pm_ra_err, o.pm_dec_err, o.parallax, o.parallax_err, o.catalog_version_id
        FROM roman.object o WHERE o.catalog_version_id <= p_catalog_version_id
        UNION ALL
        SELECT h.object_id, h.ra, h.dec, h.ra_err, h.dec_err, h.ref_epoch, h.pm_ra, h.pm_dec,
               h.pm_ra_err, h.pm_dec_err, h.parallax, h.parallax_err, h.catalog_version_id
        FROM roman.object_history h
        WHERE h.catalog_version_id <= p_catalog_version_id AND h.replaced_by > p_catalog_version_id
    ) AS a
    WHERE NOT EXISTS (
        SELECT FROM roman.dropped_object d
        WHERE d.object_id = a.object_id AND d.catalog_version_id <= p_catalog_version_id
          AND (d.restored_by IS NULL OR d.restored_by > p_catalog_version_id)
    )
$$;
COMMENT ON FUNCTION roman.object_at(bigint) IS
'The object catalog as it was known when a catalog version had been loaded';

-- Score interval of Wilson (1927, J. Am. Stat. Assoc. 22, 209) for a binomial share, at one standard deviation
-- (68.27 %); Brown, Cai & DasGupta (2001, Statist. Sci. 16, 101) recommend it for small numbers. NULL without trials.
CREATE OR REPLACE FUNCTION roman.wilson_limit(p_success bigint, p_trial bigint, p_side integer)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$
    SELECT CASE WHEN p_trial > 0 THEN least(greatest(
        (p_success + 0.5 + p_side * sqrt(p_success * (p_trial - p_success) / p_trial::double precision + 0.25))
        / (p_trial + 1), 0), 1) END
$$;
COMMENT ON FUNCTION roman.wilson_limit(bigint, bigint, integer) IS
'Lower (side -1) or upper (side 1) limit of a binomial share by the score interval of Wilson (1927), one standard deviation';

-- A share of trials with its limits, and how many trials it takes to know it to 0.02; NULL without trials.
CREATE OR REPLACE FUNCTION roman.binomial_share(
    p_success bigint, p_trial bigint,
    OUT share double precision, OUT lower double precision, OUT upper double precision, OUT n_needed bigint
) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT p_success / nullif(p_trial, 0)::double precision, w.lower, w.upper,
           ceil((w.lower + w.upper) / 2 * (1 - (w.lower + w.upper) / 2) / 0.02 ^ 2)::bigint
    FROM (SELECT roman.wilson_limit(p_success, p_trial, -1) AS lower, roman.wilson_limit(p_success, p_trial, 1) AS upper) AS w
$$;
COMMENT ON FUNCTION roman.binomial_share(bigint, bigint) IS
'Binomial share, its limits of one standard deviation (Wilson 1927), and the trials it takes to know it to 0.02';

-- The direct exposure that shows best where the sources of a dispersed one are: of the same detector and roll (to half a
-- degree), with most sky in common, then the nearest in time. NULL where there is none.
CREATE OR REPLACE FUNCTION roman.best_direct_exposure(p_exposure_id bigint)
RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT d.exposure_id
    FROM roman.exposure e
    JOIN roman.exposure d ON d.detector = e.detector AND d.footprint && e.footprint
    JOIN roman.optical_element o ON o.optical_element = d.optical_element AND o.kind = 'imaging'
    CROSS JOIN LATERAL (
        SELECT sum(upper(piece) - lower(piece)) AS shared FROM unnest(d.footprint * e.footprint) AS piece
    ) s
    WHERE e.exposure_id = p_exposure_id
      AND coalesce(cosd(d.pa_aperture - e.pa_aperture) > cosd(0.5), true)
    ORDER BY s.shared DESC, abs(d.midpoint_mjd_tdb - e.midpoint_mjd_tdb), d.exposure_id
    LIMIT 1
$$;
COMMENT ON FUNCTION roman.best_direct_exposure(bigint) IS
'Direct exposure of the same detector and roll with most sky in common with a dispersed exposure, then nearest in time';
