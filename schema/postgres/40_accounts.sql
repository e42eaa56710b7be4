-- Roles of tiers and scratch schemas of accounts. Roles belong to a server: where we may not make them, who calls hears of
-- it, and queries then run as roman_reader.

-- A role of each tier that reads science and no operations. Its settings hold for whoever logs in as it; where a session
-- takes it on (SET ROLE) PostgreSQL does not apply them, and the service sets them itself.
CREATE OR REPLACE FUNCTION ops.apply_account_tiers() RETURNS void
LANGUAGE plpgsql AS
$$
DECLARE
    item record;
    place name;
BEGIN
    FOR item IN SELECT 'roman_tier_' || tier AS role, * FROM ops.account_tier ORDER BY tier LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = item.role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', item.role);
            END IF;
            PERFORM ops.set_account_tier(item.role::name, item.n_connection, ARRAY[
                'default_transaction_read_only=on',
                'statement_timeout=' || ceil(item.seconds_sync * 1000)::bigint,
                'idle_in_transaction_session_timeout=600000',
                'work_mem=' || item.work_bytes / 1024,
                'temp_file_limit=' || item.temp_bytes / 1024
            ]);
            FOR place IN
                SELECT nspname FROM pg_namespace
                WHERE nspname IN ('roman', 'adql', 'ivoa', 'tap_schema')
                   OR nspname IN (SELECT data_release FROM ops.data_release)
            LOOP
                EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', place, item.role);
                EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', place, item.role);
            END LOOP;
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_reader')
               AND NOT pg_has_role('roman_reader', item.role, 'MEMBER') THEN
                EXECUTE format('GRANT %I TO roman_reader', item.role);
            END IF;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE WARNING 'role % is not as its tier says: have a superuser run this upgrade', item.role;
            WHEN duplicate_object OR unique_violation OR internal_error THEN
                NULL;  -- another database of the same server made or set it at the same moment
        END;
    END LOOP;
END
$$;

-- The connections and settings of a role, written where they differ.
CREATE OR REPLACE FUNCTION ops.set_account_tier(p_role name, p_connections integer, p_settings text[]) RETURNS void
LANGUAGE plpgsql AS
$$
DECLARE
    wanted text;
BEGIN
    IF (SELECT rolconnlimit FROM pg_roles WHERE rolname = p_role) <> p_connections THEN
        EXECUTE format('ALTER ROLE %I CONNECTION LIMIT %s', p_role, p_connections);
    END IF;
    FOREACH wanted IN ARRAY p_settings LOOP
        IF NOT EXISTS (
            SELECT FROM pg_db_role_setting
            WHERE setrole = p_role::regrole AND setdatabase = 0 AND wanted = ANY(setconfig)
        ) THEN
            EXECUTE format('ALTER ROLE %I SET %I = %L', p_role, split_part(wanted, '=', 1), split_part(wanted, '=', 2));
        END IF;
    END LOOP;
END
$$;

-- Give the session the room on disk of a tier for sorting and joining, or with no tier that of its login; say whether that
-- was possible. A superuser alone may set temp_file_limit, or whom one lets (60_roles.sql): so it is done as the owner.
CREATE OR REPLACE FUNCTION ops.take_temporary_room(p_tier text, p_is_local boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    room bigint;
BEGIN
    SELECT temp_bytes / 1024 INTO room FROM ops.account_tier WHERE tier = p_tier;
    IF room IS NULL THEN
        RESET temp_file_limit;
    ELSIF p_is_local THEN
        EXECUTE format('SET LOCAL temp_file_limit = %s', room);
    ELSE
        EXECUTE format('SET SESSION temp_file_limit = %s', room);
    END IF;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$$;

-- The role in which an account reads and writes its scratch tables: a member of its tier's.
CREATE OR REPLACE FUNCTION ops.scratch_role(p_account_id bigint) RETURNS name
LANGUAGE plpgsql AS
$$
DECLARE
    own name;
    tier_role name;
    other name;
BEGIN
    SELECT 'mydb_' || name, 'roman_tier_' || tier INTO STRICT own, tier_role
    FROM ops.account WHERE account_id = p_account_id AND account_id <> 0;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = own) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN', own);
    END IF;
    IF NOT pg_has_role(own, 'MEMBER') THEN
        EXECUTE format('GRANT %I TO %I', own, current_user);
    END IF;
    FOR other IN
        SELECT granted.rolname FROM pg_auth_members AS m JOIN pg_roles AS granted ON granted.oid = m.roleid
        WHERE m.member = own::regrole AND granted.rolname <> tier_role
    LOOP
        EXECUTE format('REVOKE %I FROM %I', other, own);
    END LOOP;
    IF NOT pg_has_role(own, tier_role, 'MEMBER') THEN
        EXECUTE format('GRANT %I TO %I', tier_role, own);
    END IF;
    RETURN own;
END
$$;

-- Let those read the scratch tables of an account who share with it, and nobody else.
CREATE OR REPLACE FUNCTION ops.share_scratch(p_account_id bigint) RETURNS void
LANGUAGE plpgsql AS
$$
DECLARE
    own name;
    reader name;
BEGIN
    SELECT 'mydb_' || name INTO STRICT own FROM ops.account WHERE account_id = p_account_id;
    FOR reader IN
        SELECT DISTINCT r.rolname FROM pg_namespace AS n, aclexplode(n.nspacl) AS acl JOIN pg_roles AS r ON r.oid = acl.grantee
        WHERE n.nspname = own AND acl.grantee <> n.nspowner
    LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', own, reader);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I', own, reader);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I REVOKE ALL ON TABLES FROM %I', own, own, reader);
    END LOOP;
    FOR reader IN
        SELECT ops.scratch_role(mate.account_id)
        FROM ops.account AS a JOIN ops.team AS t USING (team_id) JOIN ops.account AS mate USING (team_id)
        WHERE a.account_id = p_account_id AND t.shares_scratch AND mate.account_id <> a.account_id
          AND mate.state <> 'closed'
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', own, reader);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', own, reader);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT ON TABLES TO %I', own, own, reader);
    END LOOP;
END
$$;

-- Make the scratch schema of an account, if there is none; its name is that of the role that owns it.
CREATE OR REPLACE FUNCTION ops.open_scratch(p_account_id bigint) RETURNS name
LANGUAGE plpgsql AS
$$
DECLARE
    own name := ops.scratch_role(p_account_id);
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = own) THEN
        EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', own, own);
        PERFORM ops.share_scratch(p_account_id);
    END IF;
    RETURN own;
END
$$;

-- After an account has changed its tier or team: its role, its own schema, those of its mates, and those that it could read.
CREATE OR REPLACE FUNCTION ops.renew_scratch_rights(p_account_id bigint) RETURNS void
LANGUAGE plpgsql AS
$$
DECLARE
    own name;
BEGIN
    SELECT 'mydb_' || name INTO STRICT own FROM ops.account WHERE account_id = p_account_id;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = own) THEN
        PERFORM ops.scratch_role(p_account_id);
    END IF;
    PERFORM ops.share_scratch(a.account_id)
    FROM ops.account AS a JOIN pg_namespace AS n ON n.nspname = 'mydb_' || a.name
    WHERE a.account_id = p_account_id
       OR a.team_id = (SELECT team_id FROM ops.account WHERE account_id = p_account_id)
       OR EXISTS (
           SELECT FROM aclexplode(n.nspacl) AS acl JOIN pg_roles AS r ON r.oid = acl.grantee WHERE r.rolname = own
       );
END
$$;

-- Remove the scratch tables of an account, and its role where no other database of the server has rights of it.
CREATE OR REPLACE FUNCTION ops.close_scratch(p_account_id bigint) RETURNS void
LANGUAGE plpgsql AS
$$
DECLARE
    own name;
BEGIN
    SELECT 'mydb_' || name INTO STRICT own FROM ops.account WHERE account_id = p_account_id;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = own) THEN
        RETURN;
    END IF;
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', own);
    EXECUTE format('DROP OWNED BY %I', own);
    BEGIN
        EXECUTE format('DROP ROLE %I', own);
    EXCEPTION
        WHEN dependent_objects_still_exist THEN NULL;
    END;
END
$$;

-- Bytes on disk of the scratch tables of accounts, with their indexes and long values.
CREATE OR REPLACE FUNCTION ops.scratch_bytes(p_account_ids bigint[]) RETURNS bigint
LANGUAGE sql STABLE AS
$$
    SELECT CAST(coalesce(sum(pg_total_relation_size(c.oid)), 0) AS bigint)
    FROM ops.account AS a
    JOIN pg_namespace AS n ON n.nspname = 'mydb_' || a.name
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'm')
    WHERE a.account_id = ANY(p_account_ids)
$$;

COMMENT ON FUNCTION ops.apply_account_tiers() IS 'Make the roles of the tiers as their rows say';
COMMENT ON FUNCTION ops.set_account_tier(name, integer, text[]) IS 'Set what differs of a role';
COMMENT ON FUNCTION ops.take_temporary_room(text, boolean) IS 'Give the session the room on disk of a tier';
COMMENT ON FUNCTION ops.scratch_role(bigint) IS 'Role in which an account reads and writes its scratch tables';
COMMENT ON FUNCTION ops.share_scratch(bigint) IS 'Let the team of an account read its scratch tables';
COMMENT ON FUNCTION ops.open_scratch(bigint) IS 'Make the scratch schema of an account';
COMMENT ON FUNCTION ops.renew_scratch_rights(bigint) IS 'Rights on scratch tables after a change of tier or team';
COMMENT ON FUNCTION ops.close_scratch(bigint) IS 'Remove the scratch tables of an account';
COMMENT ON FUNCTION ops.scratch_bytes(bigint[]) IS 'Bytes of the scratch tables of accounts';
