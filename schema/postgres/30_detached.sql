-- Partitions of light curves taken out of the database into files, and put back (roman-db season detach, attach). A
-- partition is replaced by another that was filled and committed before, when no transaction is left that began earlier
-- and could not see its rows.

-- Whether rows of a window are in files instead of the database.
CREATE OR REPLACE FUNCTION ops.is_detached(p_from integer, p_to integer) RETURNS boolean
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    SELECT EXISTS (
        SELECT FROM ops.detached_partition WHERE state = 'detached' AND from_mjd < p_to AND to_mjd > p_from
    )
$$;
COMMENT ON FUNCTION ops.is_detached(integer, integer) IS
'Whether light curves of any of the days [from, to) (MJD TDB) are in files instead of the database';

-- Nothing is written to a window whose rows are in files.
CREATE OR REPLACE FUNCTION ops.refuse_detached(p_from integer, p_to integer) RETURNS void
LANGUAGE plpgsql STABLE STRICT AS
$$
BEGIN
    IF ops.is_detached(p_from, p_to) THEN
        RAISE EXCEPTION 'light curves of the days % to % (MJD) are detached: nothing can be written there', p_from, p_to
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Bring the season back before (roman-db season attach)';
    END IF;
END
$$;
COMMENT ON FUNCTION ops.refuse_detached(integer, integer) IS
'Raise an error if light curves of any of the days [from, to) (MJD TDB) are detached';

-- What whoever reads light curves of a day is told whose season is detached: an error, and never fewer points.
CREATE OR REPLACE FUNCTION roman.detached_light_curve(p_day integer) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    season record;
BEGIN
    SELECT d.survey, d.season, min(d.from_mjd) AS from_mjd, max(d.to_mjd) AS to_mjd INTO season
    FROM ops.detached_partition d WHERE p_day >= d.from_mjd AND p_day < d.to_mjd GROUP BY d.survey, d.season;
    RAISE EXCEPTION 'light curves of season % of % (days % to %, MJD) are in the archive and not in the database',
        season.season, season.survey, season.from_mjd, season.to_mjd - 1
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = format('Ask for other days alone (start_mjd < %s OR start_mjd >= %s), or have the season '
                            'brought back: roman-db season attach %s --survey %s',
                            season.from_mjd, season.to_mjd, season.season, season.survey);
END
$$;
COMMENT ON FUNCTION roman.detached_light_curve(integer) IS
'Raise the error of light curves of a day (MJD TDB) whose season is detached';

-- Segments of a detached season keep their keys and lose their arrays. Whoever comes upon one is told, through
-- whatever view or query; a superuser who reads the tables themselves sees the empty arrays.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT * FROM (VALUES ('light_curve_segment', 'flux'), ('astrometry_segment', 'offset_ra'),
                              ('shape_segment', 'size_excess')) AS part (name, array_name)
        WHERE NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = ('roman.' || name)::regclass)
    LOOP
        EXECUTE format('CREATE POLICY is_here ON roman.%I USING (%I IS NOT NULL OR roman.detached_light_curve(start_mjd))',
                       item.name, item.array_name);
        EXECUTE format('ALTER TABLE roman.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', item.name);
    END LOOP;
END
$$;

-- Partitions of the segments of some days that hold rows themselves.
CREATE OR REPLACE FUNCTION ops.light_curve_leaves(p_from integer, p_to integer)
RETURNS TABLE (partition text, parent text, from_mjd integer, to_mjd integer)
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    SELECT c.relname::text, t.name, p.from_mjd, p.to_mjd
    FROM ops.light_curve_partition p
    CROSS JOIN unnest(ARRAY['light_curve_segment', 'astrometry_segment', 'shape_segment']) AS t (name)
    CROSS JOIN pg_partition_tree(format('roman_partition.%s_%s_%s', t.name, p.from_mjd, p.to_mjd)::regclass) AS leaf
    JOIN pg_class c ON c.oid = leaf.relid
    WHERE leaf.isleaf AND c.relkind = 'r' AND p.from_mjd < p_to AND p.to_mjd > p_from
    ORDER BY 1
$$;
COMMENT ON FUNCTION ops.light_curve_leaves(integer, integer) IS
'Partitions that hold segments of the days [from, to) (MJD TDB), with the table that they belong to';

-- Make an empty table beside a partition, in place of one that an interrupted run left.
CREATE OR REPLACE FUNCTION ops.make_beside_partition(p_partition text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    beside text := ops.name_beside_partition(p_partition);
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS roman_partition.%I', beside);
    EXECUTE format('CREATE TABLE roman_partition.%I (LIKE roman_partition.%I INCLUDING ALL)', beside, p_partition);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_loader') THEN
        EXECUTE format('GRANT SELECT, INSERT ON roman_partition.%I TO roman_loader', beside);
    END IF;
    RETURN beside;
END
$$;
COMMENT ON FUNCTION ops.make_beside_partition(text) IS
'Make an empty table like a partition of light curves, which may take its place, and return its name';

-- Name of that table; the partition must be one that holds segments.
CREATE OR REPLACE FUNCTION ops.name_beside_partition(p_partition text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    IF p_partition !~ '^(light_curve|astrometry|shape)_segment_[0-9]+_[0-9]+_g[0-9]+(_s[0-9]+)?$' THEN
        RAISE EXCEPTION '% is no partition of light curves', quote_literal(p_partition)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN p_partition || '_beside';
END
$$;

-- Drop that table.
CREATE OR REPLACE FUNCTION ops.drop_beside_partition(p_partition text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS roman_partition.%I', ops.name_beside_partition(p_partition));
END
$$;
COMMENT ON FUNCTION ops.drop_beside_partition(text) IS 'Drop the table beside a partition of light curves';

-- Keep writers and compaction out of the window of a partition until the transaction ends.
CREATE OR REPLACE FUNCTION ops.lock_light_curve_window(p_from integer) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$ SELECT FROM ops.light_curve_partition WHERE from_mjd = p_from FOR UPDATE $$;
COMMENT ON FUNCTION ops.lock_light_curve_window(integer) IS
'Keep writers and compaction out of the window that begins with a day, until the transaction ends';

-- Let the table beside a partition take its place. No transaction may be left that began before its rows were committed.
CREATE OR REPLACE FUNCTION ops.replace_partition(p_partition text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    beside text := ops.name_beside_partition(p_partition);
    place record;
BEGIN
    SELECT i.inhparent::regclass AS parent, pg_get_expr(c.relpartbound, c.oid) AS bound INTO STRICT place
    FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.oid = format('roman_partition.%I', p_partition)::regclass;
    EXECUTE format('ALTER TABLE %s DETACH PARTITION roman_partition.%I', place.parent, p_partition);
    EXECUTE format('DROP TABLE roman_partition.%I', p_partition);
    EXECUTE format('ALTER TABLE roman_partition.%I RENAME TO %I', beside, p_partition);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION roman_partition.%I %s', place.parent, p_partition, place.bound);
    EXECUTE format('ANALYZE roman_partition.%I', p_partition);
END
$$;
COMMENT ON FUNCTION ops.replace_partition(text) IS
'Let the table beside a partition of light curves take its place';
