-- Who may do what. The owner owns and migrates, loaders write, readers read, and the service keeps accounts as
-- roman_accounts; none of them is made to log in by itself: an account is made a member. (On a private server
-- roman_reader logs in: roman_db.cluster.creation.) On a server that does not let us make roles, the grants are skipped.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['roman_owner', 'roman_loader', 'roman_reader', 'roman_accounts'] LOOP
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

-- Hand everything to the owner, so that what acts with its owner's rights has no more than those.
DO $$
DECLARE
    item record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_owner')
       OR NOT pg_has_role('roman_owner', 'MEMBER') THEN
        RETURN;
    END IF;
    FOR item IN
        SELECT * FROM (
            SELECT 'SCHEMA' AS kind, format('%I', nspname) AS name FROM pg_namespace
            WHERE nspname IN ('roman', 'ops', 'uws', 'queue', 'roman_partition', 'adql', 'ivoa', 'tap_schema',
                              'archive', 'community')
              AND nspowner <> 'roman_owner'::regrole
            UNION ALL
            SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass::text FROM pg_class
            WHERE relnamespace IN ('roman'::regnamespace, 'ops'::regnamespace, 'uws'::regnamespace,
                                   'queue'::regnamespace, 'roman_partition'::regnamespace, 'ivoa'::regnamespace,
                                   'tap_schema'::regnamespace, 'archive'::regnamespace)
              AND relkind IN ('r', 'p', 'v') AND relowner <> 'roman_owner'::regrole
            UNION ALL
            SELECT CASE prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END, oid::regprocedure::text
            FROM pg_proc
            WHERE pronamespace IN ('roman'::regnamespace, 'ops'::regnamespace, 'queue'::regnamespace,
                                   'adql'::regnamespace,
                                   'ivoa'::regnamespace, 'archive'::regnamespace)
              AND proowner <> 'roman_owner'::regrole
        ) AS ours ORDER BY kind <> 'SCHEMA'
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO roman_owner', item.kind, item.name);
    END LOOP;
END
$$;

DO $$
BEGIN
    IF (SELECT count(*) FROM pg_roles
        WHERE rolname IN ('roman_owner', 'roman_loader', 'roman_reader', 'roman_accounts')) < 4 THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA roman, ops, adql, ivoa, tap_schema, archive, community TO roman_loader, roman_reader;
    GRANT USAGE ON SCHEMA roman_partition, uws, queue TO roman_loader;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA uws, queue TO roman_loader;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA roman, ops TO roman_loader;
    REVOKE DELETE ON roman.object, roman.exposure, ops.load_run, ops.load_run_input, ops.load_rejection
        FROM roman_loader;
    REVOKE INSERT, UPDATE, DELETE ON ops.alembic_version, ops.light_curve_partition, ops.data_release,
        ops.data_release_table, ops.data_release_column, ops.data_release_block, ops.shard_range, ops.received_day
        FROM roman_loader;
    REVOKE ALL ON ops.account_tier, ops.team, ops.account, ops.account_token, ops.account_usage,
        ops.resource_request, ops.saved_query, ops.address_usage, ops.service_key FROM roman_loader;
    GRANT USAGE ON SCHEMA ops TO roman_accounts;
    GRANT SELECT ON ops.account_tier, ops.team, ops.service_key TO roman_accounts;
    GRANT SELECT, INSERT, UPDATE (n_row, seconds), DELETE ON ops.address_usage TO roman_accounts;
    GRANT SELECT, INSERT ON ops.account_usage TO roman_accounts;
    GRANT SELECT, UPDATE (state) ON ops.account TO roman_accounts;
    GRANT SELECT, INSERT, UPDATE (revoked_at, last_used_at) ON ops.account_token TO roman_accounts;
    GRANT SELECT, INSERT (account_id, resource, amount, reason) ON ops.resource_request TO roman_accounts;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ops.saved_query TO roman_accounts;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA roman, ops, queue TO roman_loader;
    GRANT SELECT ON ALL TABLES IN SCHEMA roman, ivoa, tap_schema, archive TO roman_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA archive TO roman_loader;
    GRANT SELECT ON ops.load_run, ops.load_run_input, ops.load_rejection, ops.input_file, ops.quality_metric,
        ops.quality_limit, ops.season_quality, ops.task_run, ops.run_overview, ops.light_curve_partition,
        ops.queue_job, ops.dead_job, ops.block_checksum, ops.detached_partition, ops.shard_range,
        ops.job_attempt, ops.job_schedule, ops.watched_folder, ops.arrived_file, ops.alert, ops.delivery_rule,
        ops.delivery_content, ops.product, ops.delivery, ops.delivery_file, ops.delivery_input, ops.delivery_event,
        ops.data_notification, ops.notified_file, ops.delivery_due, ops.input_arrival, ops.transmission,
        ops.data_release, ops.data_release_table, ops.data_release_column, ops.data_release_block TO roman_reader;
    REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ops FROM PUBLIC;
    REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ops FROM roman_loader;
    GRANT EXECUTE ON FUNCTION ops.scratch_bytes(bigint[]) TO roman_accounts;
    GRANT EXECUTE ON FUNCTION ops.take_temporary_room(text, boolean) TO roman_reader;
    BEGIN
        GRANT SET ON PARAMETER temp_file_limit TO roman_owner;
    EXCEPTION
        WHEN insufficient_privilege THEN
            RAISE WARNING 'temporary files of queries are not limited by tier: have a superuser run this upgrade';
        WHEN unique_violation OR internal_error THEN
            NULL;  -- another database of the same server granted it at the same moment
    END;
    GRANT EXECUTE ON FUNCTION ops.open_light_curve_block(integer), ops.new_light_curve_block_id(bigint),
        ops.prepare_light_curve_compaction(integer, integer),
        ops.begin_light_curve_compaction(integer, integer, boolean),
        ops.current_light_curve_blocks(text, bigint[]),
        ops.analyze_light_curve_partition(integer, integer), ops.retired_light_curve_partitions(),
        ops.drop_light_curve_partition(integer, integer, bigint), ops.open_variability_season(smallint),
        ops.open_astrometry_season(smallint), ops.is_detached(integer, integer),
        ops.refuse_detached(integer, integer), ops.light_curve_leaves(integer, integer),
        ops.make_beside_partition(text), ops.name_beside_partition(text), ops.drop_beside_partition(text),
        ops.lock_light_curve_window(integer), ops.replace_partition(text), ops.light_curve_places()
        TO roman_loader;
    PERFORM ops.show_community_tables();
END
$$;

-- What holds for whoever logs in as roman_reader and says nothing else. What an administrator has set stays. Members of
-- the role have limits of their own: PostgreSQL does not hand these down.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT wanted.* FROM pg_roles AS reader, (VALUES
            ('default_transaction_read_only', 'on'), ('statement_timeout', '1h'),
            ('idle_in_transaction_session_timeout', '10min'), ('temp_file_limit', '20GB')
        ) AS wanted (name, value)
        WHERE reader.rolname = 'roman_reader' AND NOT EXISTS (
            SELECT FROM pg_db_role_setting AS stored, unnest(stored.setconfig) AS chosen
            WHERE stored.setrole = reader.oid AND stored.setdatabase = 0 AND split_part(chosen, '=', 1) = wanted.name
        )
    LOOP
        BEGIN
            EXECUTE format('ALTER ROLE roman_reader SET %I = %L', item.name, item.value);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE WARNING 'readers have no %: have a superuser set it for roman_reader', item.name;
            WHEN unique_violation OR internal_error THEN
                NULL;  -- another database of the same server set it at the same moment
        END;
    END LOOP;
END
$$;

-- What PostgreSQL lets everybody do even in a read-only transaction, and what is none of a reader's business: write
-- large objects (version 15) and records of the log that nothing here reads; hold advisory locks, for which loaders
-- wait; end queries of others who read as the same role; fill the queue of notifications; and change settings, which
-- in a connection of the owner is the way out of the role. Their owner is the administrator; an upgrade by somebody
-- else leaves them as they are, and says so.
DO $$
DECLARE
    item record;
    role name;
    left_open text;
BEGIN
    FOR item IN
        SELECT oid::regprocedure AS name, pg_has_role(proowner, 'MEMBER') AS is_ours,
            has_function_privilege('public', oid, 'EXECUTE') AS is_open,
            proname LIKE 'lo%' OR proname = 'pg_logical_emit_message' AS is_nobodys
        FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND (
            proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lo_import', 'lo_export', 'lo_unlink',
                        'lo_truncate', 'lo_truncate64', 'lowrite', 'pg_logical_emit_message', 'pg_notify',
                        'pg_cancel_backend', 'pg_terminate_backend', 'set_config')
            OR proname ~ '^pg_(try_)?advisory_(xact_)?lock'
        )
    LOOP
        IF NOT item.is_ours THEN
            left_open := CASE WHEN item.is_open THEN concat_ws(', ', left_open, item.name::text) ELSE left_open END;
            CONTINUE;
        END IF;
        EXECUTE format('REVOKE EXECUTE ON FUNCTION pg_catalog.%s FROM PUBLIC', item.name);
        FOR role IN
            SELECT rolname FROM pg_roles WHERE rolname IN ('roman_owner', 'roman_loader') AND NOT item.is_nobodys
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION pg_catalog.%s TO %I', item.name, role);
        END LOOP;
    END LOOP;
    IF left_open IS NOT NULL THEN
        RAISE WARNING 'readers may call %: have a superuser run this upgrade', left_open;
    END IF;
END
$$;

-- Temporary tables are for staging. This belongs to the database and is in no dump: an upgrade sets it again.
DO $$
DECLARE
    role name;
BEGIN
    IF NOT (SELECT pg_has_role(datdba, 'MEMBER') FROM pg_database WHERE datname = current_database()) THEN
        RETURN;
    END IF;
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('roman_owner', 'roman_loader') LOOP
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), role);
    END LOOP;
END
$$;
