-- Light-curve partitions on other servers (roman-db shards): a leaf of the partitions may be a foreign table. Which
-- objects are where stands in ops.shard_range; new generations follow it at once, older ones when they are moved.
--
-- What is seen is decided by the rows of blocks, which are here. A shard commits a moment before this server does, so
-- rows that a crash leaves there alone belong to a block that does not exist, and nobody sees them.

-- Pieces into which objects are cut, in order: at the cuts of the layout and at the ends of ranges; NULL is without end.
CREATE OR REPLACE FUNCTION ops.light_curve_pieces()
RETURNS TABLE (from_object_id bigint, to_object_id bigint, shard text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    WITH edge AS (
        SELECT unnest(sky_cut) AS object_id FROM ops.light_curve_layout
        UNION SELECT r.from_object_id FROM ops.shard_range r
        UNION SELECT r.to_object_id FROM ops.shard_range r
    ), piece AS (
        SELECT lag(e.object_id) OVER (ORDER BY e.object_id) AS from_object_id, e.object_id AS to_object_id
        FROM (SELECT object_id FROM edge UNION ALL SELECT NULL) AS e
    )
    SELECT p.from_object_id, p.to_object_id, r.shard
    FROM piece p LEFT JOIN ops.shard_range r
        ON p.from_object_id >= r.from_object_id AND p.to_object_id <= r.to_object_id
    ORDER BY p.from_object_id NULLS FIRST
$$;

-- Pieces into which some of the objects are to be cut, as few as their places allow.
CREATE OR REPLACE FUNCTION ops.planned_light_curve_pieces(p_from bigint, p_to bigint)
RETURNS TABLE (from_object_id bigint, to_object_id bigint, shard text)
LANGUAGE sql STABLE AS
$$
    WITH clipped AS (
        SELECT greatest(p.from_object_id, p_from) AS first, least(p.to_object_id, p_to) AS last, p.shard
        FROM ops.light_curve_pieces() AS p
        WHERE coalesce(p.from_object_id < p_to, true) AND coalesce(p.to_object_id > p_from, true)
    ), changed AS (
        SELECT c.*, (row_number() OVER w > 1 AND c.shard IS DISTINCT FROM lag(c.shard) OVER w)::integer AS is_other
        FROM clipped c WINDOW w AS (ORDER BY c.first NULLS FIRST)
    ), numbered AS (
        SELECT c.*, sum(c.is_other) OVER (ORDER BY c.first NULLS FIRST) AS number FROM changed c
    )
    SELECT (array_agg(n.first ORDER BY n.first NULLS FIRST))[1],
           (array_agg(n.last ORDER BY n.first DESC NULLS LAST))[1], min(n.shard)
    FROM numbered n GROUP BY n.number ORDER BY n.number
$$;

-- Whether light curves may be on shards: the tables have no key of their own, each of their leaves has one.
CREATE OR REPLACE FUNCTION ops.may_have_shards() RETURNS boolean
LANGUAGE sql STABLE AS
$$ SELECT NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'roman.light_curve_segment'::regclass AND contype = 'p') $$;

-- Leaves of all light-curve tables: their objects, and the shard that they are on.
CREATE OR REPLACE FUNCTION ops.light_curve_places() RETURNS TABLE (
    partition text, table_name text, from_mjd integer, generation text, from_object_id bigint, to_object_id bigint, shard text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    SELECT c.relname::text, t.name, p.from_mjd, substring(c.relname FROM '^.*_g[0-9]+'),
           nullif(b.edge[1], 'MINVALUE')::bigint, nullif(b.edge[2], 'MAXVALUE')::bigint,
           substring(s.srvname FROM '^shard_(.*)$')
    FROM ops.light_curve_partition p
    CROSS JOIN unnest(ops.light_curve_tables()) AS t (name)
    CROSS JOIN pg_partition_tree(format('roman_partition.%s_%s_%s', t.name, p.from_mjd, p.to_mjd)::regclass) AS leaf
    JOIN pg_class c ON c.oid = leaf.relid
    LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
    LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
    CROSS JOIN LATERAL (
        SELECT CASE WHEN pg_get_partkeydef(leaf.parentrelid) = 'RANGE (object_id)'
               THEN regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?(\w+)''?\) TO \(''?(\w+)''?\)') END AS edge
    ) AS b
    WHERE leaf.isleaf AND c.relkind IN ('r', 'f')
$$;

-- Leaves that are not where ops.shard_range has them.
CREATE OR REPLACE FUNCTION ops.misplaced_light_curve_leaves()
RETURNS TABLE (partition text, table_name text, from_mjd integer)
LANGUAGE sql STABLE AS
$$
    SELECT l.partition, l.table_name, l.from_mjd FROM ops.light_curve_places() AS l
    WHERE EXISTS (
        SELECT FROM ops.planned_light_curve_pieces(l.from_object_id, l.to_object_id) AS p
        WHERE p.shard IS DISTINCT FROM l.shard
    )
    ORDER BY l.from_mjd, l.partition
$$;

-- Make a partition on a shard and the foreign table of the same name for it, in one transaction.
CREATE OR REPLACE FUNCTION ops.make_shard_table(p_table text, p_name text, p_shard text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    columns text := (
        SELECT string_agg(format('%I %s %s', attname, format_type(atttypid, atttypmod),
                                 CASE WHEN attnotnull THEN 'NOT NULL' END), ', ' ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = format('roman.%I', p_table)::regclass AND attnum > 0 AND NOT attisdropped
    );
BEGIN
    EXECUTE format('INSERT INTO roman_partition.%I VALUES (%L, %L, true)',
                   format('shard_%s_request', p_shard), p_name, p_table);
    EXECUTE format('CREATE FOREIGN TABLE roman_partition.%I (%s) SERVER %I '
                   'OPTIONS (schema_name ''roman_partition'', table_name %L)',
                   p_name, columns, 'shard_' || p_shard, p_name);
END
$$;

-- Attach a new, empty piece of a generation, here or on a shard.
CREATE OR REPLACE FUNCTION ops.attach_light_curve_piece(
    p_table text, p_parent regclass, p_name text, p_from bigint, p_to bigint, p_shard text
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    lower text := coalesce(p_from::text, 'MINVALUE');
    upper text := coalesce(p_to::text, 'MAXVALUE');
BEGIN
    IF p_shard IS NULL THEN
        PERFORM ops.attach_light_curve_partition(p_table, p_parent, p_name, lower, upper, NULL);
    ELSE
        PERFORM ops.make_shard_table(p_table, p_name, p_shard);
        EXECUTE format('ALTER TABLE %s ATTACH PARTITION roman_partition.%I FOR VALUES FROM (%s) TO (%s)',
                       p_parent, p_name, lower, upper);
    END IF;
END
$$;

-- Leaves without a key of their own, which they need before their tables may lose theirs.
CREATE OR REPLACE FUNCTION ops.light_curve_leaves_without_key() RETURNS SETOF text
LANGUAGE sql STABLE AS
$$
    SELECT l.partition FROM ops.light_curve_places() AS l
    WHERE l.shard IS NULL AND NOT EXISTS (
        SELECT FROM pg_index AS i
        WHERE i.indrelid = format('roman_partition.%I', l.partition)::regclass AND i.indisunique
          AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid)
    )
    ORDER BY 1
$$;

-- Give a leaf a key of its own: its writers wait meanwhile, its readers do not.
CREATE OR REPLACE FUNCTION ops.add_light_curve_key(p_partition text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    EXECUTE format('CREATE UNIQUE INDEX ON roman_partition.%I (object_id, start_mjd, block_id)', p_partition);
END
$$;

-- Take the keys from the tables, whose leaves have all got their own: a table with a key has no foreign partitions.
CREATE OR REPLACE FUNCTION ops.allow_shards() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    name text;
BEGIN
    IF ops.may_have_shards() THEN
        RETURN;
    END IF;
    FOREACH name IN ARRAY ops.light_curve_tables() LOOP
        EXECUTE format('LOCK TABLE roman.%I', name);
    END LOOP;
    FOR name IN SELECT ops.light_curve_leaves_without_key() LOOP
        PERFORM ops.add_light_curve_key(name);
    END LOOP;
    FOREACH name IN ARRAY ops.light_curve_tables() LOOP
        EXECUTE format('ALTER TABLE roman.%I DROP CONSTRAINT %I', name, name || '_pkey');
    END LOOP;
END
$$;

-- Drop the tables that an interrupted move left beside the leaves of a generation.
CREATE OR REPLACE FUNCTION ops.drop_light_curve_copies(p_generation text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT oid::regclass AS name, relkind FROM pg_class
        WHERE relnamespace = 'roman_partition'::regnamespace AND relkind IN ('r', 'f') AND NOT relispartition
          AND relname ~ ('^' || p_generation || '_s[0-9]+$')
    LOOP
        EXECUTE format('DROP %s TABLE %s', CASE item.relkind WHEN 'f' THEN 'FOREIGN' END, item.name);
    END LOOP;
END
$$;

-- Copy a leaf to tables where its objects belong, and say which; nobody sees them yet. Each is checked to hold what
-- the partition may hold, so that attaching it reads nothing.
CREATE OR REPLACE FUNCTION ops.copy_light_curve_leaf(p_partition text)
RETURNS TABLE (piece text, from_object_id bigint, to_object_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    leaf record;
    number integer;
    plan record;
    objects text;
BEGIN
    SELECT * INTO STRICT leaf FROM ops.light_curve_places() AS l WHERE l.partition = p_partition;
    PERFORM ops.drop_light_curve_copies(leaf.generation);
    SELECT coalesce(max(substring(relname FROM '_s([0-9]+)$')::integer), -1) INTO number FROM pg_class
    WHERE relnamespace = 'roman_partition'::regnamespace AND relname ~ ('^' || leaf.generation || '_s[0-9]+$');
    FOR plan IN SELECT * FROM ops.planned_light_curve_pieces(leaf.from_object_id, leaf.to_object_id) LOOP
        number := number + 1;
        piece := format('%s_s%s', leaf.generation, number);
        from_object_id := plan.from_object_id;
        to_object_id := plan.to_object_id;
        objects := format('object_id >= %s AND object_id < %s', coalesce(from_object_id, -9223372036854775808),
                          coalesce(to_object_id, 9223372036854775807));
        IF plan.shard IS NULL THEN
            EXECUTE format('CREATE TABLE roman_partition.%I (LIKE roman.%I INCLUDING DEFAULTS INCLUDING STORAGE '
                           'INCLUDING COMPRESSION, PRIMARY KEY (object_id, start_mjd, block_id), '
                           'CONSTRAINT in_place CHECK (%s AND %s))', piece, leaf.table_name, objects,
                           pg_get_partition_constraintdef(format('roman_partition.%I', p_partition)::regclass));
        ELSE
            PERFORM ops.make_shard_table(leaf.table_name, piece, plan.shard);
        END IF;
        EXECUTE format('INSERT INTO roman_partition.%I SELECT * FROM roman_partition.%I WHERE %s '
                       'ORDER BY object_id, start_mjd, block_id', piece, p_partition, objects);
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ops.copy_light_curve_leaf(text) IS
'Copy a partition of light curves to tables where ops.shard_range has its objects; ops.replace_light_curve_leaf follows';

-- Let these tables take the place of the leaf, unless it has been written to since: then false. No transaction may be
-- left that began before they were committed.
CREATE OR REPLACE FUNCTION ops.replace_light_curve_leaf(
    p_partition text, p_n_row bigint, p_piece text[], p_from bigint[], p_to bigint[]
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    leaf record;
    place record;
    parent regclass;
    n_row bigint;
BEGIN
    SELECT * INTO STRICT leaf FROM ops.light_curve_places() AS l WHERE l.partition = p_partition;
    PERFORM ops.lock_light_curve_window(leaf.from_mjd);
    EXECUTE format('SELECT count(*) FROM roman_partition.%I', p_partition) INTO n_row;
    IF n_row <> p_n_row THEN
        RETURN false;
    END IF;
    SELECT i.inhparent::regclass AS parent, pg_get_expr(c.relpartbound, c.oid) AS bound INTO STRICT place
    FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.oid = format('roman_partition.%I', p_partition)::regclass;
    parent := place.parent;
    EXECUTE format('ALTER TABLE %s DETACH PARTITION roman_partition.%I', place.parent, p_partition);
    EXECUTE format('DROP %s TABLE roman_partition.%I', CASE WHEN leaf.shard IS NOT NULL THEN 'FOREIGN' END, p_partition);
    IF p_partition = leaf.generation THEN  -- the generation was in one piece
        EXECUTE format('CREATE TABLE roman_partition.%I PARTITION OF %s %s PARTITION BY RANGE (object_id)',
                       p_partition, place.parent, place.bound);
        EXECUTE format('GRANT SELECT, INSERT ON roman_partition.%I TO roman_loader', p_partition);
        parent := format('roman_partition.%I', p_partition)::regclass;
    END IF;
    FOR i IN 1 .. cardinality(p_piece) LOOP
        EXECUTE format('ALTER TABLE %s ATTACH PARTITION roman_partition.%I FOR VALUES FROM (%s) TO (%s)', parent,
                       p_piece[i], coalesce(p_from[i]::text, 'MINVALUE'), coalesce(p_to[i]::text, 'MAXVALUE'));
        EXECUTE format('ALTER TABLE roman_partition.%I DROP CONSTRAINT IF EXISTS in_place', p_piece[i]);
    END LOOP;
    RETURN true;
END
$$;
COMMENT ON FUNCTION ops.replace_light_curve_leaf(text, bigint, text[], bigint[], bigint[]) IS
'Let the copies of a partition of light curves take its place; false where it was written to since';

-- Partitions of a shard that no table here leads to.
CREATE OR REPLACE FUNCTION ops.shard_leftovers(p_shard text) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    RETURN QUERY EXECUTE format('SELECT partition FROM roman_partition.%I', format('shard_%s_partition', p_shard))
        || ' EXCEPT SELECT c.relname::text FROM pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid '
        || 'JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE s.srvname = ' || quote_literal('shard_' || p_shard);
END
$$;

-- Drop some of them, which were left over before all transactions that run now began.
CREATE OR REPLACE FUNCTION ops.drop_shard_leftovers(p_shard text, p_partition text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    EXECUTE format('INSERT INTO roman_partition.%I SELECT name, '''', false FROM ops.shard_leftovers(%L) AS name '
                   'WHERE name = ANY ($1)', format('shard_%s_request', p_shard), p_shard) USING p_partition;
END
$$;
