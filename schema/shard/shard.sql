-- What a shard has (roman-db shards add): an empty table like each of the light-curve tables, made by the command, and a
-- way to have partitions made and dropped in the transaction that uses them. Whoever inserts a request through
-- postgres_fdw has it carried out at once, and undone if the transaction is rolled back.
CREATE TABLE IF NOT EXISTS roman_partition.shard_request (
    partition text NOT NULL,
    table_name text NOT NULL,
    is_wanted boolean NOT NULL
);

CREATE OR REPLACE FUNCTION roman_partition.carry_out_request() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    IF NEW.partition !~ '^(light_curve|astrometry|shape)_(segment|summary)_[0-9]+_[0-9]+_g[0-9]+_s[0-9]+$' THEN
        RAISE EXCEPTION '% is no partition of light curves', quote_literal(NEW.partition)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS roman_partition.%I', NEW.partition);
    IF NEW.is_wanted THEN
        EXECUTE format('CREATE TABLE roman_partition.%I (LIKE roman.%I INCLUDING ALL)', NEW.partition, NEW.table_name);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER carry_out BEFORE INSERT ON roman_partition.shard_request
FOR EACH ROW EXECUTE FUNCTION roman_partition.carry_out_request();

-- Partitions that the shard has, with their size on disk.
CREATE OR REPLACE VIEW roman_partition.shard_partition AS
SELECT c.relname::text AS partition, pg_total_relation_size(c.oid) AS size_bytes
FROM pg_class AS c
WHERE c.relnamespace = 'roman_partition'::regnamespace AND c.relkind = 'r' AND c.relname <> 'shard_request';
