-- Partitions of the light-curve tables, in three levels: windows of days (the block's first day), generations
-- within a window (ranges of block_id), ranges of object_id where ops.light_curve_layout cuts the sky.
--
-- Loaders write to the newest generation of a window that holds a current block. Compaction fills a further one
-- and, in the same transaction, marks the blocks of the older ones as superseded. Nothing is taken away then: a
-- reader whose snapshot is older goes on to see the old blocks and finds their points. A generation without a
-- current block is dropped when no such reader is left. So the rows of blocks alone, which are under MVCC, say
-- what is seen. One thing is not under MVCC: a plan knows the partitions of the moment when it was made, and its
-- snapshot is taken a moment later. So the further generation is attached, empty, before; compaction begins when
-- all transactions of that time have ended, and no plan is left that does not know it.
--
-- The row of a window in ops.light_curve_partition is its lock: writers share it, compaction takes it alone.
-- Loaders own no tables; these functions act for them.

CREATE OR REPLACE FUNCTION ops.light_curve_tables() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ARRAY['light_curve_segment', 'astrometry_segment', 'shape_segment', 'light_curve_summary'] $$;
COMMENT ON FUNCTION ops.light_curve_tables() IS 'Tables that are partitioned alike, by start_mjd, block_id and object_id';

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

CREATE OR REPLACE FUNCTION ops.light_curve_generation(p_block_id bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT p_block_id >> 40 $$;
COMMENT ON FUNCTION ops.light_curve_generation(bigint) IS
'Generation that a block belongs to: the bits of its identifier above the fortieth';

-- Next identifier of a block of a generation.
CREATE OR REPLACE FUNCTION ops.new_light_curve_block_id(p_generation bigint) RETURNS bigint
LANGUAGE sql VOLATILE STRICT AS
$$ SELECT (p_generation << 40) + nextval(pg_get_serial_sequence('roman.light_curve_block', 'block_id')) $$;

-- Generations of a window, the newest first; none where the window does not exist.
CREATE OR REPLACE FUNCTION ops.light_curve_generations(p_from integer, p_to integer) RETURNS SETOF bigint
LANGUAGE sql VOLATILE STRICT AS
$$
    SELECT substring(c.relname FROM '_g([0-9]+)$')::bigint AS generation
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass(format('roman_partition.light_curve_segment_%s_%s', p_from, p_to))
    ORDER BY generation DESC
$$;

-- Whether any block of a window, or of one of its generations, is to be kept: current ones, and refined light curves
-- that others replaced, which are few. What was merged into other blocks is not.
CREATE OR REPLACE FUNCTION ops.has_current_light_curve_block(
    p_from integer, p_to integer, p_generation bigint
) RETURNS boolean LANGUAGE sql VOLATILE AS
$$
    SELECT EXISTS (
        SELECT FROM roman.light_curve_block AS b
        WHERE start_mjd >= p_from AND start_mjd < p_to
          AND (
              superseded_at IS NULL OR photometry_kind = 'refined' AND NOT is_merged
              OR EXISTS (SELECT FROM ops.data_release_block AS r WHERE r.block_id = b.block_id)
          )
          AND (p_generation IS NULL OR ops.light_curve_generation(block_id) = p_generation)
    )
$$;

-- Make an empty table like one of the light-curve tables and attach it to its parent.
CREATE OR REPLACE FUNCTION ops.attach_light_curve_partition(
    p_like text, p_parent regclass, p_name text, p_from text, p_to text, p_partition_by text
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    EXECUTE format('CREATE TABLE roman_partition.%I (LIKE roman.%I INCLUDING DEFAULTS INCLUDING STORAGE '
                   'INCLUDING COMPRESSION) %s', p_name, p_like, 'PARTITION BY RANGE (' || p_partition_by || ')');
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION roman_partition.%I FOR VALUES FROM (%s) TO (%s)',
                   p_parent, p_name, p_from, p_to);
    IF p_partition_by IS NULL AND ops.may_have_shards() THEN
        PERFORM ops.add_light_curve_key(p_name);
    END IF;
END
$$;

-- Add a generation to a window and return its number.
CREATE OR REPLACE FUNCTION ops.add_light_curve_generation(p_from integer, p_to integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    generation bigint := coalesce((SELECT max(g) FROM ops.light_curve_generations(p_from, p_to) g) + 1, 0);
    n_piece integer := (SELECT count(*) FROM ops.light_curve_pieces());
    parent text;
    part text;
    piece record;
BEGIN
    FOREACH parent IN ARRAY ops.light_curve_tables() LOOP
        part := format('%s_%s_%s_g%s', parent, p_from, p_to, generation);
        PERFORM ops.attach_light_curve_partition(
            parent, format('roman_partition.%s_%s_%s', parent, p_from, p_to)::regclass, part,
            (generation << 40)::text, ((generation + 1) << 40)::text,
            CASE WHEN n_piece > 1 THEN 'object_id' END
        );
        FOR piece IN
            SELECT *, row_number() OVER (ORDER BY from_object_id NULLS FIRST) - 1 AS number
            FROM ops.light_curve_pieces() WHERE n_piece > 1
        LOOP
            PERFORM ops.attach_light_curve_piece(
                parent, format('roman_partition.%s', part)::regclass, format('%s_s%s', part, piece.number),
                piece.from_object_id, piece.to_object_id, piece.shard
            );
        END LOOP;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_loader') THEN
            EXECUTE format('GRANT SELECT, INSERT ON roman_partition.%I TO roman_loader', part);
        END IF;
    END LOOP;
    RETURN generation;
END
$$;

-- Make sure that a day has its window, keep compaction out of it until the transaction ends, and say where and
-- under which identifier a new block is to be written. Many loaders may call it at once.
CREATE OR REPLACE FUNCTION ops.open_light_curve_block(p_day integer, OUT block_id bigint, OUT place text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    days integer;
    first_day integer;
    last_day integer;
    generation bigint;
    parent text;
BEGIN
    LOOP
        SELECT p.from_mjd, p.to_mjd INTO first_day, last_day FROM ops.light_curve_partition p
        WHERE p_day >= p.from_mjd AND p_day < p.to_mjd FOR SHARE;
        EXIT WHEN FOUND;
        PERFORM pg_advisory_xact_lock(hashtext('ops.light_curve_partition'));
        CONTINUE WHEN EXISTS (SELECT FROM ops.light_curve_partition p WHERE p_day >= p.from_mjd AND p_day < p.to_mjd);
        SELECT window_days INTO STRICT days FROM ops.light_curve_layout;
        -- An operator may have changed the length of windows: a new one ends where an older one begins.
        first_day := greatest(p_day - p_day % days,
                              (SELECT max(p.to_mjd) FROM ops.light_curve_partition p WHERE p.to_mjd <= p_day));
        last_day := least(p_day - p_day % days + days,
                          (SELECT min(p.from_mjd) FROM ops.light_curve_partition p WHERE p.from_mjd > p_day));
        FOREACH parent IN ARRAY ops.light_curve_tables() LOOP
            PERFORM ops.attach_light_curve_partition(
                parent, format('roman.%s', parent)::regclass, format('%s_%s_%s', parent, first_day, last_day),
                first_day::text, last_day::text, 'block_id'
            );
        END LOOP;
        PERFORM ops.add_light_curve_generation(first_day, last_day);
        INSERT INTO ops.light_curve_partition (from_mjd, to_mjd, sealed) VALUES (first_day, last_day, false);
    END LOOP;
    PERFORM ops.refuse_detached(first_day, last_day);
    SELECT coalesce(max(ops.light_curve_generation(b.block_id)),
                    (SELECT max(g) FROM ops.light_curve_generations(first_day, last_day) g)) INTO generation
    FROM roman.light_curve_block b
    WHERE b.start_mjd >= first_day AND b.start_mjd < last_day AND b.superseded_at IS NULL;
    block_id := ops.new_light_curve_block_id(generation);
    place := format('%s_%s_g%s', first_day, last_day, generation);
END
$$;
COMMENT ON FUNCTION ops.open_light_curve_block(integer) IS
'Identifier of a new block of a day (MJD TDB) and the place of its rows: roman_partition.<table>_<place>';

-- Attach an empty generation for the merged blocks of some days to the first of their windows, unless it is there.
CREATE OR REPLACE FUNCTION ops.prepare_light_curve_compaction(p_from integer, p_to integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    first_day integer;
    last_day integer;
    newest bigint;
BEGIN
    SELECT from_mjd, to_mjd INTO STRICT first_day, last_day FROM ops.light_curve_partition
    WHERE from_mjd >= p_from AND to_mjd <= p_to ORDER BY from_mjd LIMIT 1 FOR UPDATE;
    PERFORM ops.refuse_detached(p_from, p_to);
    SELECT max(g) INTO newest FROM ops.light_curve_generations(first_day, last_day) g;
    IF ops.has_current_light_curve_block(first_day, last_day, newest) THEN
        PERFORM ops.add_light_curve_generation(first_day, last_day);
    END IF;
END
$$;
COMMENT ON FUNCTION ops.prepare_light_curve_compaction(integer, integer) IS
'Make room for the merged blocks of some days; wait for all running transactions before compaction begins';

-- Begin to rewrite the windows of some days: writers of theirs wait until the transaction ends.
CREATE OR REPLACE FUNCTION ops.begin_light_curve_compaction(
    p_from integer, p_to integer, p_sealed boolean, OUT generation bigint, OUT place text
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    first_day integer;
    last_day integer;
BEGIN
    PERFORM FROM ops.light_curve_partition
    WHERE from_mjd >= p_from AND to_mjd <= p_to ORDER BY from_mjd FOR UPDATE;
    SELECT from_mjd, to_mjd INTO STRICT first_day, last_day FROM ops.light_curve_partition
    WHERE from_mjd >= p_from AND to_mjd <= p_to ORDER BY from_mjd LIMIT 1;
    SELECT max(g) INTO generation FROM ops.light_curve_generations(first_day, last_day) g;
    IF ops.has_current_light_curve_block(first_day, last_day, generation) THEN
        RAISE EXCEPTION 'the days % to % are not prepared for compaction', p_from, p_to
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    UPDATE ops.light_curve_partition SET sealed = p_sealed WHERE from_mjd = first_day;
    place := format('%s_%s_g%s', first_day, last_day, generation);
END
$$;
COMMENT ON FUNCTION ops.begin_light_curve_compaction(integer, integer, boolean) IS
'Generation for the merged blocks of some days and the place of their rows: roman_partition.<table>_<place>';

-- Windows, and generations of windows, that hold no current block; a window that lives on keeps its newest one.
CREATE OR REPLACE FUNCTION ops.retired_light_curve_partitions()
RETURNS TABLE (from_mjd integer, to_mjd integer, generation bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    SELECT p.from_mjd, p.to_mjd, NULL::bigint FROM ops.light_curve_partition p
    WHERE NOT ops.has_current_light_curve_block(p.from_mjd, p.to_mjd, NULL)
      AND NOT ops.is_detached(p.from_mjd, p.to_mjd)
    UNION ALL
    SELECT p.from_mjd, p.to_mjd, g FROM ops.light_curve_partition p
    CROSS JOIN LATERAL (SELECT g FROM ops.light_curve_generations(p.from_mjd, p.to_mjd) g ORDER BY g DESC OFFSET 1) older
    WHERE ops.has_current_light_curve_block(p.from_mjd, p.to_mjd, NULL)
      AND NOT ops.has_current_light_curve_block(p.from_mjd, p.to_mjd, g)
      AND NOT ops.is_detached(p.from_mjd, p.to_mjd)
$$;
COMMENT ON FUNCTION ops.retired_light_curve_partitions() IS
'Windows (generation empty) and generations of windows that hold no current block';

-- Drop one of them, unless a block has come in since. The caller has made sure that no snapshot is older.
CREATE OR REPLACE FUNCTION ops.drop_light_curve_partition(p_from integer, p_to integer, p_generation bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    parent text;
BEGIN
    PERFORM FROM ops.light_curve_partition WHERE from_mjd = p_from AND to_mjd = p_to FOR UPDATE;
    IF NOT EXISTS (
        SELECT FROM ops.retired_light_curve_partitions() r
        WHERE r.from_mjd = p_from AND r.to_mjd = p_to AND r.generation IS NOT DISTINCT FROM p_generation
    ) THEN
        RETURN;
    END IF;
    FOREACH parent IN ARRAY ops.light_curve_tables() LOOP
        EXECUTE format('DROP TABLE roman_partition.%I',
                       format('%s_%s_%s', parent, p_from, p_to) || coalesce('_g' || p_generation, ''));
    END LOOP;
    IF p_generation IS NULL THEN
        DELETE FROM ops.light_curve_partition WHERE from_mjd = p_from;
    END IF;
END
$$;
COMMENT ON FUNCTION ops.drop_light_curve_partition(integer, integer, bigint) IS
'Drop a retired window or generation';

-- Refresh the planner's statistics of the partitions of some days, which only their owner may do. Where some are on
-- shards, of those that are here alone: of a foreign table all rows would be fetched, and shards keep their own.
CREATE OR REPLACE FUNCTION ops.analyze_light_curve_partition(p_from integer, p_to integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT format('%s_%s_%s', t.parent, p.from_mjd, p.to_mjd) AS name
        FROM ops.light_curve_partition p, unnest(ops.light_curve_tables()) AS t (parent)
        WHERE p.from_mjd < p_to AND p.to_mjd > p_from AND NOT EXISTS (SELECT FROM ops.shard_range)
        UNION ALL
        SELECT l.partition FROM ops.light_curve_places() AS l
        JOIN ops.light_curve_partition p USING (from_mjd)
        WHERE p.from_mjd < p_to AND p.to_mjd > p_from AND l.shard IS NULL AND EXISTS (SELECT FROM ops.shard_range)
    LOOP
        EXECUTE format('ANALYZE roman_partition.%I', item.name);
    END LOOP;
END
$$;

-- The partition of a season of the variability catalog.
CREATE OR REPLACE FUNCTION ops.open_variability_season(p_season smallint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    part text := format('variability_%s', p_season);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('roman.variability'));
    IF to_regclass(format('roman_partition.%I', part)) IS NULL THEN
        EXECUTE format('CREATE TABLE roman_partition.%I PARTITION OF roman.variability FOR VALUES IN (%s)',
                       part, p_season);
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_loader') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON roman_partition.%I TO roman_loader', part);
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION ops.open_variability_season(smallint) IS
'Make sure that a season has its partition of roman.variability';

-- The partition of a season of the astrometry.
CREATE OR REPLACE FUNCTION ops.open_astrometry_season(p_season smallint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    part text := format('object_astrometry_%s', p_season);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('roman.object_astrometry'));
    IF to_regclass(format('roman_partition.%I', part)) IS NULL THEN
        EXECUTE format('CREATE TABLE roman_partition.%I PARTITION OF roman.object_astrometry FOR VALUES IN (%s)',
                       part, p_season);
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_loader') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON roman_partition.%I TO roman_loader', part);
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION ops.open_astrometry_season(smallint) IS
'Make sure that a season has its partition of roman.object_astrometry';

-- Blocks that are not superseded and hold any of some exposures. Arrays are compared each with each, so that 40,000
-- exposures took a minute: the index is asked for pieces of them, and for nothing but them.
CREATE OR REPLACE FUNCTION ops.current_light_curve_blocks(p_photometry_kind text, p_exposure_id bigint[])
RETURNS TABLE (block_id bigint, start_mjd integer, exposure_id bigint[])
LANGUAGE sql STABLE SET enable_seqscan = off AS
$$
    WITH holder AS MATERIALIZED (
        SELECT DISTINCT h.block_id
        FROM generate_series(1, cardinality(p_exposure_id), 256) AS piece (place)
        JOIN roman.light_curve_block AS h ON h.exposure_id && p_exposure_id[piece.place:piece.place + 255]
    )

    SELECT b.block_id, b.start_mjd, b.exposure_id
    FROM holder
    JOIN roman.light_curve_block AS b USING (block_id)
    WHERE b.photometry_kind = p_photometry_kind AND b.superseded_at IS NULL
$$;
COMMENT ON FUNCTION ops.current_light_curve_blocks(text, bigint[]) IS
'Light-curve blocks of a kind, not superseded, that hold any of the exposures';
