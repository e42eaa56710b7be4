-- Tables and columns that queries from outside may name, as TAP_SCHEMA lists them.
-- Grain: one row a column, in the order of its table
SELECT t.schema_name, t.table_name, t.description AS table_description, c.column_name, c.datatype,
       coalesce(c.unit, '') AS unit, coalesce(c.description, '') AS description
FROM tap_schema.tables AS t JOIN tap_schema.columns AS c USING (table_name)
ORDER BY t.schema_name, t.table_name, c.column_index, c.column_name;
