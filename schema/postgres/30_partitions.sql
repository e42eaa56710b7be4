-- Partitions of the light-curve tables: by ranges of the block's first day, then by ranges of object_id where
-- ops.light_curve_layout cuts the sky. Loaders own no tables; these functions act for them.

CREATE OR REPLACE FUNCTION ops.light_curve_tables() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ARRAY['light_curve_segment', 'astrometry_segment', 'shape_segment', 'light_curve_summary'] $$;
COMMENT ON FUNCTION ops.light_curve_tables() IS 'Tables that are partitioned alike, by start_mjd and object_id';

-- Noise does not compress: long arrays go out of line as they are, which also lets a reader skip them.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT a.attrelid::regclass AS parent, a.attname FROM pg_attribute a
        JOIN unnest(ops.light_curve_tables()) AS t (name) ON a.attrelid = ('roman.' || t.name)::regclass
        WHERE a.atttypid = 'real[]'::regtype AND a.attstorage <> 'e'
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STORAGE EXTERNAL', item.parent, item.attname);
    END LOOP;
END
$$;

-- Build one partition table, detached, with its cuts of the sky; its check lets it be attached without a scan.
CREATE OR REPLACE FUNCTION ops.build_light_curve_partition(
    p_parent text, p_name text, p_from integer, p_to integer
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    cuts bigint[] := (SELECT sky_cut FROM ops.light_curve_layout);
    edges text[] := ARRAY['MINVALUE'] || cuts::text[] || ARRAY['MAXVALUE'];
    suffix text := CASE WHEN cardinality(cuts) = 0 THEN '' ELSE ' PARTITION BY RANGE (object_id)' END;
BEGIN
    EXECUTE format('CREATE TABLE roman_partition.%I (LIKE roman.%I INCLUDING DEFAULTS INCLUDING STORAGE '
                   'INCLUDING COMPRESSION, CHECK (start_mjd >= %s AND start_mjd < %s), '
                   'PRIMARY KEY (object_id, start_mjd, block_id))%s',
                   p_name, p_parent, p_from, p_to, suffix);
    FOR i IN 1 .. cardinality(edges) - 1 LOOP
        EXIT WHEN cardinality(cuts) = 0;
        EXECUTE format('CREATE TABLE roman_partition.%I PARTITION OF roman_partition.%I '
                       'FOR VALUES FROM (%s) TO (%s)',
                       format('%s_s%s', p_name, i - 1), p_name, edges[i], edges[i + 1]);
    END LOOP;
    IF pg_has_role('roman_loader', 'USAGE') THEN
        EXECUTE format('GRANT SELECT, INSERT ON roman_partition.%I TO roman_loader', p_name);
    END IF;
EXCEPTION WHEN undefined_object THEN
    NULL;  -- a server without our roles: there is nobody to grant to
END
$$;

CREATE OR REPLACE FUNCTION ops.attach_light_curve_partition(
    p_parent text, p_name text, p_from integer, p_to integer
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    EXECUTE format('ALTER TABLE roman.%I ATTACH PARTITION roman_partition.%I FOR VALUES FROM (%s) TO (%s)',
                   p_parent, p_name, p_from, p_to);
END
$$;

-- Make sure that a day has its window in every light-curve table. Safe to call from many loaders at once.
CREATE OR REPLACE FUNCTION ops.ensure_light_curve_partition(p_day integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    days integer;
    first_day integer;
    parent text;
    partition_name text;
BEGIN
    IF EXISTS (SELECT FROM ops.light_curve_partition WHERE p_day >= from_mjd AND p_day < to_mjd) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('ops.ensure_light_curve_partition'));
    IF EXISTS (SELECT FROM ops.light_curve_partition WHERE p_day >= from_mjd AND p_day < to_mjd) THEN
        RETURN;
    END IF;
    SELECT window_days INTO STRICT days FROM ops.light_curve_layout;
    first_day := p_day - p_day % days;
    FOREACH parent IN ARRAY ops.light_curve_tables() LOOP
        partition_name := format('%s_%s_%s', parent, first_day, first_day + days);
        PERFORM ops.build_light_curve_partition(parent, partition_name, first_day, first_day + days);
        PERFORM ops.attach_light_curve_partition(parent, partition_name, first_day, first_day + days);
    END LOOP;
    INSERT INTO ops.light_curve_partition (from_mjd, to_mjd, sealed) VALUES (first_day, first_day + days, false);
END
$$;
COMMENT ON FUNCTION ops.ensure_light_curve_partition(integer) IS
'Make sure that the light-curve tables have a partition for a day (MJD TDB)';

-- Swap freshly filled tables for the partitions of the days [p_from, p_to): readers see all old or all new.
-- The new tables are named as the build function was told; the old ones are dropped.
CREATE OR REPLACE FUNCTION ops.swap_light_curve_partition(p_from integer, p_to integer, p_suffix text, p_sealed boolean)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    parent text;
    old record;
    final_name text;
BEGIN
    FOREACH parent IN ARRAY ops.light_curve_tables() LOOP
        FOR old IN SELECT from_mjd, to_mjd FROM ops.light_curve_partition WHERE from_mjd >= p_from AND to_mjd <= p_to LOOP
            EXECUTE format('ALTER TABLE roman.%I DETACH PARTITION roman_partition.%I',
                           parent, format('%s_%s_%s', parent, old.from_mjd, old.to_mjd));
            EXECUTE format('DROP TABLE roman_partition.%I', format('%s_%s_%s', parent, old.from_mjd, old.to_mjd));
        END LOOP;
        final_name := format('%s_%s_%s', parent, p_from, p_to);
        PERFORM ops.attach_light_curve_partition(parent, final_name || p_suffix, p_from, p_to);
        PERFORM ops.rename_light_curve_partition(final_name || p_suffix, final_name);
    END LOOP;
    DELETE FROM ops.light_curve_partition WHERE from_mjd >= p_from AND to_mjd <= p_to;
    INSERT INTO ops.light_curve_partition (from_mjd, to_mjd, sealed) VALUES (p_from, p_to, p_sealed);
END
$$;

-- Rename a partition with its cuts of the sky and its primary keys.
CREATE OR REPLACE FUNCTION ops.rename_light_curve_partition(p_old text, p_new text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'roman_partition' AND c.relkind IN ('r', 'p', 'i', 'I')
          AND c.relname LIKE replace(p_old, '_', '\_') || '%'
    LOOP
        EXECUTE format('ALTER %s roman_partition.%I RENAME TO %I',
                       CASE WHEN item.relkind IN ('i', 'I') THEN 'INDEX' ELSE 'TABLE' END,
                       item.relname, p_new || substr(item.relname, length(p_old) + 1));
    END LOOP;
END
$$;

-- Keep writers out of the partitions of some days until the transaction ends; readers go on.
CREATE OR REPLACE FUNCTION ops.lock_light_curve_partition(p_from integer, p_to integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT format('%s_%s_%s', t.parent, p.from_mjd, p.to_mjd) AS name
        FROM ops.light_curve_partition p, unnest(ops.light_curve_tables()) AS t (parent)
        WHERE p.from_mjd >= p_from AND p.to_mjd <= p_to ORDER BY 1
    LOOP
        EXECUTE format('LOCK TABLE roman_partition.%I IN SHARE MODE', item.name);
    END LOOP;
END
$$;
