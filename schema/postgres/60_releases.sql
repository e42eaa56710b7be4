-- Data releases: each is a schema with copies of small tables and with views of light curves, whose points are those of
-- all. Views and what TAP_SCHEMA says are made anew after each upgrade (70_releases.sql); tables are frozen.

-- A view of a release is that of science, with the blocks of the release instead of those that are current now.
CREATE OR REPLACE FUNCTION ops.make_data_release_views(p_release text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT table_name AS name, pg_get_viewdef(format('roman.%I', table_name)::regclass) AS query
        FROM ops.data_release_table WHERE data_release = p_release AND kind = 'view'
    LOOP
        EXECUTE format('CREATE VIEW %I.%I AS %s', p_release, item.name,
                       replace(item.query, 'roman.light_curve_block', format('%I.light_curve_block', p_release)));
    END LOOP;
END
$$;
COMMENT ON FUNCTION ops.make_data_release_views(text) IS 'Make the views of a data release, which is not to have them';

-- What TAP_SCHEMA says of a release.
CREATE OR REPLACE FUNCTION ops.describe_data_release(p_release text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS
$$
    INSERT INTO tap_schema.schemas (schema_name, description, schema_index)
    SELECT data_release, format('Data release %s of %s, %s, frozen on %s.', substring(data_release, 3), survey,
                                CASE season WHEN 0 THEN 'all seasons' ELSE 'season ' || season END, frozen_at::date),
           (SELECT max(schema_index) + 1 FROM tap_schema.schemas)
    FROM ops.data_release WHERE data_release = p_release;
    INSERT INTO tap_schema.tables (schema_name, table_name, table_type, description, table_index)
    SELECT data_release, data_release || '.' || table_name, CASE kind WHEN 'view' THEN 'view' ELSE 'table' END,
           description, (SELECT max(table_index) FROM tap_schema.tables) + row_number() OVER (ORDER BY table_name)
    FROM ops.data_release_table WHERE data_release = p_release AND kind <> 'shared';
    INSERT INTO tap_schema.columns (table_name, column_name, datatype, arraysize, xtype, description, utype, unit, ucd,
                                    indexed, principal, std, column_index)
    SELECT c.data_release || '.' || c.table_name, c.column_name, c.datatype, c.arraysize, c.xtype, c.description,
           c.utype, c.unit, c.ucd, c.is_indexed::integer, c.is_principal::integer, 0, c.column_index
    FROM ops.data_release_column c JOIN ops.data_release_table t USING (data_release, table_name)
    WHERE c.data_release = p_release AND t.kind <> 'shared';
$$;
COMMENT ON FUNCTION ops.describe_data_release(text) IS 'Add a data release to TAP_SCHEMA, which is not to have it';

-- Everybody reads a release, and nobody but its owner could write there.
CREATE OR REPLACE FUNCTION ops.open_data_release(p_release text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    item record;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_owner') AND pg_has_role('roman_owner', 'MEMBER') THEN
        EXECUTE format('ALTER SCHEMA %I OWNER TO roman_owner', p_release);
        FOR item IN
            SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, oid::regclass::text AS name
            FROM pg_class WHERE relnamespace = p_release::regnamespace AND relkind IN ('r', 'v')
        LOOP
            EXECUTE format('ALTER %s %s OWNER TO roman_owner', item.kind, item.name);
        END LOOP;
    END IF;
    FOR item IN
        SELECT rolname AS name FROM pg_roles
        WHERE rolname IN ('roman_loader', 'roman_reader')
           OR rolname IN (SELECT 'roman_tier_' || tier FROM ops.account_tier)
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', p_release, item.name);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', p_release, item.name);
    END LOOP;
END
$$;
COMMENT ON FUNCTION ops.open_data_release(text) IS 'Hand a data release to the owner, and let everybody read it';

-- Drop the tables of a release and what only they need; which they were, with their digests, stays known.
CREATE OR REPLACE FUNCTION ops.drop_data_release(p_release text, p_reason text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    size_bytes bigint;
    item record;
BEGIN
    SELECT coalesce(sum(pg_total_relation_size(oid)), 0) INTO size_bytes
    FROM pg_class WHERE relnamespace = p_release::regnamespace AND relkind = 'r';
    FOR item IN
        SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, string_agg(oid::regclass::text, ', ') AS names
        FROM pg_class WHERE relnamespace = p_release::regnamespace AND relkind IN ('r', 'v')
        GROUP BY relkind ORDER BY relkind = 'r'
    LOOP
        EXECUTE format('DROP %s %s', item.kind, item.names);
    END LOOP;
    EXECUTE format('DROP SCHEMA %I', p_release);
    DELETE FROM tap_schema.columns WHERE split_part(table_name, '.', 1) = p_release;
    DELETE FROM tap_schema.tables WHERE schema_name = p_release;
    DELETE FROM tap_schema.schemas WHERE schema_name = p_release;
    DELETE FROM ops.data_release_block WHERE data_release = p_release;
    DELETE FROM ops.data_release_column WHERE data_release = p_release;
    UPDATE ops.data_release SET dropped_at = now(), drop_reason = p_reason WHERE data_release = p_release;
    RETURN size_bytes;
END
$$;
COMMENT ON FUNCTION ops.drop_data_release(text, text) IS 'Drop a data release, and return the size of its tables in bytes';

REVOKE EXECUTE ON FUNCTION ops.make_data_release_views(text), ops.describe_data_release(text),
    ops.open_data_release(text), ops.drop_data_release(text, text) FROM PUBLIC;
