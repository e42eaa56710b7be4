-- Who may do what. The owner migrates, loaders write, readers read; none of them can log in by itself: an
-- account is made a member. On a server that does not let us make roles, the grants are skipped.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['roman_owner', 'roman_loader', 'roman_reader'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            END IF;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE WARNING 'role % does not exist and may not be created: ask the administrator of the server', role;
            WHEN duplicate_object OR unique_violation THEN
                NULL;  -- another database of the same server made it at the same moment
        END;
    END LOOP;
END
$$;

DO $$
BEGIN
    IF (SELECT count(*) FROM pg_roles WHERE rolname IN ('roman_owner', 'roman_loader', 'roman_reader')) < 3 THEN
        RETURN;
    END IF;
    GRANT ALL ON SCHEMA roman, ops, roman_partition TO roman_owner;
    GRANT ALL ON ALL TABLES IN SCHEMA roman, ops, roman_partition TO roman_owner;
    GRANT USAGE ON SCHEMA roman, ops TO roman_loader, roman_reader;
    GRANT USAGE ON SCHEMA roman_partition TO roman_loader;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA roman, ops TO roman_loader;
    REVOKE DELETE ON roman.object, roman.exposure, ops.load_run, ops.load_rejection FROM roman_loader;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA roman, ops TO roman_loader;
    GRANT SELECT ON ALL TABLES IN SCHEMA roman TO roman_reader;
    GRANT SELECT ON ops.load_run, ops.load_rejection, ops.input_file, ops.quality_metric, ops.quality_limit,
        ops.task_run, ops.run_overview, ops.light_curve_partition TO roman_reader;
    REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ops FROM PUBLIC;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ops TO roman_loader;
END
$$;
