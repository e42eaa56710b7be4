-- Views of data releases, and what TAP_SCHEMA says of them, made anew by the functions of 60_releases.sql.

DO $$
DECLARE
    release text;
BEGIN
    FOR release IN SELECT data_release FROM ops.data_release WHERE dropped_at IS NULL ORDER BY frozen_at LOOP
        PERFORM ops.make_data_release_views(release), ops.describe_data_release(release),
            ops.open_data_release(release);
    END LOOP;
END
$$;
