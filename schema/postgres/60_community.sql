-- Products of the community: who sees them, and their tables in TAP_SCHEMA, which an upgrade fills anew.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_policy WHERE polrelid = 'roman.community_product'::regclass) THEN
        RETURN;
    END IF;
    -- What is not published is nobody's business but the loaders'.
    CREATE POLICY published ON roman.community_product FOR SELECT USING (state <> 'ingested');
    CREATE POLICY published ON roman.community_file FOR SELECT
        USING (community_product_id IN (SELECT community_product_id FROM roman.community_product));
    CREATE POLICY published ON roman.community_match FOR SELECT
        USING (community_file_id IN (SELECT community_file_id FROM roman.community_file));
    ALTER TABLE roman.community_product ENABLE ROW LEVEL SECURITY;
    ALTER TABLE roman.community_file ENABLE ROW LEVEL SECURITY;
    ALTER TABLE roman.community_match ENABLE ROW LEVEL SECURITY;
END
$$;

DO $$
DECLARE
    item text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_loader')
       OR EXISTS (SELECT FROM pg_policy WHERE polname = 'loader' AND polrelid = 'roman.community_product'::regclass) THEN
        RETURN;
    END IF;
    FOREACH item IN ARRAY ARRAY['community_product', 'community_file', 'community_match'] LOOP
        EXECUTE format('CREATE POLICY loader ON roman.%I TO roman_loader USING (true)', item);
    END LOOP;
END
$$;

-- Let readers name the tables of collections that are published, and list them in TAP_SCHEMA. What a column is stands
-- in its comment, as JSON.
CREATE OR REPLACE FUNCTION ops.show_community_tables() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    item record;
BEGIN
    DELETE FROM tap_schema.columns WHERE table_name LIKE 'community.%';
    DELETE FROM tap_schema.tables WHERE schema_name = 'community';
    INSERT INTO tap_schema.schemas (schema_name, description, schema_index)
    VALUES ('community', 'Tables of products that the community contributed; roman.community_product says whose.', 9)
    ON CONFLICT DO NOTHING;
    FOR item IN
        SELECT f.table_name, f.table_name::regclass AS oid, f.description FROM roman.community_file f
        JOIN roman.community_product p USING (community_product_id)
        WHERE f.table_name IS NOT NULL AND p.state <> 'ingested' ORDER BY f.community_file_id
    LOOP
        INSERT INTO tap_schema.tables (schema_name, table_name, table_type, description)
        VALUES ('community', item.table_name, 'table', item.description);
        INSERT INTO tap_schema.columns (table_name, column_name, datatype, arraysize, description, unit, ucd, indexed,
                                        principal, std, column_index)
        SELECT item.table_name, a.attname, said ->> 'datatype', said ->> 'arraysize', said ->> 'description',
               said ->> 'unit', said ->> 'ucd', (a.attnum = 1)::integer, 1, 0, a.attnum
        FROM pg_attribute a CROSS JOIN LATERAL (SELECT col_description(a.attrelid, a.attnum)::jsonb AS said) AS comment
        WHERE a.attrelid = item.oid AND a.attnum > 0 AND NOT a.attisdropped;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_reader') THEN
            EXECUTE format('GRANT SELECT ON %s TO roman_reader', item.oid);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ops.show_community_tables() IS
'Let readers name the tables of published collections of the community, and list them in TAP_SCHEMA';
