-- Tables of products of the community in TAP_SCHEMA, which an upgrade fills anew.

-- Let readers name the tables of collections that are published, and list them in TAP_SCHEMA. What a column is stands
-- in its comment, as JSON.
CREATE OR REPLACE FUNCTION ops.show_community_tables() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    place text;
BEGIN
    DELETE FROM tap_schema.columns WHERE table_name LIKE 'community.%';
    DELETE FROM tap_schema.tables WHERE schema_name = 'community';
    DELETE FROM tap_schema.schemas WHERE schema_name = 'community';
    INSERT INTO tap_schema.schemas (schema_name, description, schema_index)
    SELECT 'community', 'Tables of products that the community contributed; roman.community_product says whose.', 9
    WHERE EXISTS (
        SELECT FROM roman.community_file f JOIN roman.community_product p USING (community_product_id)
        WHERE f.table_name IS NOT NULL AND p.state <> 'ingested'
    );
    INSERT INTO tap_schema.tables (schema_name, table_name, table_type, description, table_index)
    SELECT 'community', f.table_name, 'table', f.description, f.community_file_id
    FROM roman.community_file f JOIN roman.community_product p USING (community_product_id)
    WHERE f.table_name IS NOT NULL AND p.state <> 'ingested';
    INSERT INTO tap_schema.columns (table_name, column_name, datatype, arraysize, description, unit, ucd, indexed,
                                    principal, std, column_index)
    SELECT t.table_name, a.attname, said ->> 'datatype', said ->> 'arraysize', said ->> 'description',
           said ->> 'unit', said ->> 'ucd', (a.attnum = 1)::integer, 1, 0, a.attnum
    FROM tap_schema.tables t
    JOIN pg_attribute a ON a.attrelid = t.table_name::regclass AND a.attnum > 0 AND NOT a.attisdropped
    CROSS JOIN LATERAL (SELECT col_description(a.attrelid, a.attnum)::jsonb AS said) AS comment
    WHERE t.schema_name = 'community';
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_reader') THEN
        FOR place IN SELECT table_name FROM tap_schema.tables WHERE schema_name = 'community' LOOP
            EXECUTE format('GRANT SELECT ON %s TO roman_reader', place::regclass);
        END LOOP;
    END IF;
END
$$;
COMMENT ON FUNCTION ops.show_community_tables() IS
'Let readers name the tables of published collections of the community, and list them in TAP_SCHEMA';
