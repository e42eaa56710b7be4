-- What is due at the archive, and what came to us; what their columns mean stands in schema/views. Times are those of
-- the database, whatever the clocks of other machines say. Days begin in TDB, 69 s before those of UTC: that is left out.

-- Note of which days and fields images came, by which run, when the last of them was stored, and when each had been
-- seen here before. A run has rows of its own: loaders of the same day do not wait for each other, and a day whose
-- exposures went elsewhere is left out by who reads it. Who begins a delivery waits for the lock that is shared here until
-- the commit, and keeps others from it: what it does not see yet is stored later than it begins.
CREATE OR REPLACE FUNCTION ops.note_received_days() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    received bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(n.exposure_id) INTO received FROM stored n;
    ELSE
        SELECT array_agg(n.exposure_id) INTO received FROM stored n LEFT JOIN replaced r USING (exposure_id)
        WHERE (n.file_id, n.field_id, n.day_mjd) IS DISTINCT FROM (r.file_id, r.field_id, r.day_mjd);
    END IF;
    IF received IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtext('ops.received_day'));
    INSERT INTO ops.received_day AS d (field_id, day_mjd, load_run_id, seen_at, stored_at)
    SELECT n.field_id, n.day_mjd, i.load_run_id,
           CASE WHEN count(w.seen_at) = count(*) THEN max(w.seen_at) END, clock_timestamp()
    FROM stored n
    JOIN roman.optical_element o ON o.optical_element = n.optical_element AND o.kind = 'imaging'
    JOIN ops.input_file i USING (file_id)
    CROSS JOIN LATERAL (
        SELECT least(
            (SELECT a.changed_at FROM ops.arrived_file a WHERE a.path = i.path),
            (SELECT min(a.received_at) FROM ops.notified_file f JOIN ops.data_notification a USING (data_notification_id)
             WHERE f.filename = i.filename AND f.sha256 = i.sha256)
        ) AS seen_at
    ) AS w
    WHERE n.exposure_id = ANY (received)
    GROUP BY n.field_id, n.day_mjd, i.load_run_id
    ORDER BY n.field_id, n.day_mjd, i.load_run_id
    ON CONFLICT (field_id, day_mjd, load_run_id) DO UPDATE
    SET stored_at = excluded.stored_at,
        seen_at = CASE WHEN d.seen_at IS NOT NULL AND excluded.seen_at IS NOT NULL
                       THEN greatest(d.seen_at, excluded.seen_at) END;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ops.note_received_days() IS 'Note of which days exposures came that a statement has stored';
CREATE OR REPLACE TRIGGER note_received_days_inserted AFTER INSERT ON roman.exposure
REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION ops.note_received_days();
CREATE OR REPLACE TRIGGER note_received_days_updated AFTER UPDATE ON roman.exposure
REFERENCING OLD TABLE AS replaced NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION ops.note_received_days();

CREATE OR REPLACE VIEW ops.delivery_due AS
WITH day AS (
    SELECT f.survey, s.season, s.start_mjd AS season_start, s.end_mjd AS season_end, d.day_mjd,
           max(least(r.started_at, d.seen_at)) AS received_at, max(d.stored_at) AS stored_at
    FROM ops.received_day d
    JOIN ops.load_run r USING (load_run_id)
    JOIN roman.field f USING (field_id)
    JOIN roman.season s ON s.survey = f.survey AND d.day_mjd >= s.start_mjd AND d.day_mjd < s.end_mjd
    CROSS JOIN LATERAL (
        SELECT FROM roman.exposure e
        JOIN roman.optical_element o ON o.optical_element = e.optical_element AND o.kind = 'imaging'
        WHERE e.field_id = d.field_id AND e.day_mjd = d.day_mjd LIMIT 1
    ) AS there
    GROUP BY f.survey, s.season, s.start_mjd, s.end_mjd, d.day_mjd
), planned AS (
    SELECT survey, min(start_mjd) AS start_mjd, max(end_mjd) AS end_mjd FROM roman.season GROUP BY survey
), span AS (
    SELECT 'day' AS span, survey, season, day_mjd AS start_mjd, day_mjd + 1 AS end_mjd, received_at, stored_at,
           CAST(NULL AS timestamptz) AS end_at
    FROM day
    UNION ALL
    SELECT 'eight_days', survey, season, w.start_mjd, w.end_mjd, max(received_at), max(stored_at),
           to_timestamp((w.end_mjd - 40587) * 86400.0)
    FROM day
    CROSS JOIN LATERAL (SELECT season_start + (day_mjd - season_start) / 8 * 8 AS mjd) AS first
    CROSS JOIN LATERAL (SELECT first.mjd, least(first.mjd + 8, season_end)) AS w (start_mjd, end_mjd)
    GROUP BY survey, season, w.start_mjd, w.end_mjd
    UNION ALL
    SELECT 'season', survey, season, season_start, season_end, max(received_at), max(stored_at),
           to_timestamp((season_end - 40587) * 86400.0)
    FROM day GROUP BY survey, season, season_start, season_end
    UNION ALL
    SELECT 'survey', survey, 0::smallint, p.start_mjd, p.end_mjd, max(received_at), max(stored_at),
           to_timestamp((p.end_mjd - 40587) * 86400.0)
    FROM day JOIN planned p USING (survey) GROUP BY survey, p.start_mjd, p.end_mjd
), due AS (
    SELECT r.rule, s.survey, s.season, s.start_mjd, s.end_mjd, s.received_at, s.stored_at,
           greatest(s.stored_at, s.end_at) AS whole_at, held.until, c.clock_at,
           c.clock_at + r.complete_within AS complete_at, c.clock_at + r.deliver_within AS due_at
    FROM span s
    JOIN ops.delivery_rule r USING (span)
    JOIN planned p USING (survey)
    CROSS JOIN LATERAL (SELECT to_timestamp((p.start_mjd - 40587) * 86400.0) + r.hold AS until) AS held
    CROSS JOIN LATERAL (
        SELECT CASE WHEN to_timestamp((s.start_mjd - 40587) * 86400.0) < held.until
                    THEN greatest(s.received_at, s.end_at, held.until)
                    ELSE greatest(s.received_at, s.end_at) END AS clock_at
    ) AS c
), known AS (
    SELECT d.*, latest.delivery_id, latest.name, latest.state, latest.message, latest.created_at, arrived.delivered_at,
           coalesce(latest.state IN ('refused', 'failed', 'rejected'), false) AS is_failed
    FROM due d
    LEFT JOIN LATERAL (
        SELECT v.delivery_id, v.name, v.state, v.message, v.created_at FROM ops.delivery v
        WHERE v.rule = d.rule AND v.survey = d.survey AND v.season = d.season AND v.start_mjd = d.start_mjd
        UNION ALL
        SELECT NULL, x.data_release, 'frozen', x.note, x.frozen_at FROM ops.data_release x
        WHERE d.rule = 'release' AND x.survey = d.survey AND x.season IN (0, d.season) AND x.dropped_at IS NULL
        ORDER BY created_at DESC, delivery_id DESC LIMIT 1
    ) AS latest ON true
    LEFT JOIN LATERAL (
        SELECT min(v.published_at) AS delivered_at FROM (
            SELECT v.published_at FROM ops.delivery v
            WHERE v.rule = d.rule AND v.survey = d.survey AND v.season = d.season AND v.start_mjd = d.start_mjd
              AND v.state = 'accepted' AND v.created_at >= d.stored_at AND NOT v.is_partial
            UNION ALL
            SELECT x.frozen_at FROM ops.data_release x
            WHERE d.rule = 'release' AND x.survey = d.survey AND x.season IN (0, d.season)
              AND x.frozen_at >= d.stored_at AND x.dropped_at IS NULL
        ) AS v
    ) AS arrived ON true
)
SELECT k.rule, k.survey, k.season, k.start_mjd, k.end_mjd, k.received_at, k.clock_at, k.complete_at, k.due_at,
       k.delivery_id, k.name, k.state, k.delivered_at,
       CASE WHEN k.delivered_at IS NOT NULL THEN 'done'
            WHEN now() < k.clock_at AND k.until IS NOT DISTINCT FROM k.clock_at THEN 'held'
            WHEN now() > k.due_at THEN 'late'
            WHEN k.is_failed THEN 'failed' ELSE 'due' END AS status,
       k.is_failed, date_trunc('second', k.due_at - coalesce(k.delivered_at, now())) AS margin,
       CASE WHEN k.delivered_at IS NOT NULL OR k.is_failed THEN k.message
            WHEN now() < k.clock_at AND k.until IS NOT DISTINCT FROM k.clock_at
            THEN 'nothing is delivered in the first days of the survey'
            WHEN k.state IS NULL THEN 'nothing was made yet'
            WHEN k.created_at < k.stored_at THEN 'input was received since: deliver again'
            WHEN k.state = 'making' THEN 'it is being made'
            WHEN k.state = 'made' THEN 'to be published: roman-db deliveries publish ' || k.delivery_id
            WHEN k.state = 'published' THEN 'the archive has not answered yet'
            WHEN k.state = 'accepted' THEN 'exposures were in no light curve: measure them and deliver again'
            END AS reason,
       k.stored_at, k.whole_at
FROM known k;

-- Note of announced files that they are loaded, whichever comes first, so that who looks for others does not go through
-- them. Where both come at the same moment neither sees the other: the view below asks again of what is not noted.
CREATE OR REPLACE FUNCTION ops.note_loaded_files() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    UPDATE ops.notified_file f SET file_id = i.file_id
    FROM stored s JOIN ops.input_file i ON i.filename = s.filename AND i.sha256 = s.sha256
    WHERE f.filename = i.filename AND f.sha256 = i.sha256 AND f.file_id IS NULL;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ops.note_loaded_files() IS 'Note of announced files that they are loaded';
CREATE OR REPLACE TRIGGER note_loaded_files_inserted AFTER INSERT ON ops.input_file
REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION ops.note_loaded_files();
CREATE OR REPLACE TRIGGER note_loaded_files_announced AFTER INSERT ON ops.notified_file
REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION ops.note_loaded_files();

-- Files that are noted as loaded are a part of their own: who asks for another state does not read them.
CREATE OR REPLACE VIEW ops.input_arrival AS
WITH latest AS NOT MATERIALIZED (
    SELECT f.*, told.received_at, told.n_notification
    FROM ops.notified_file f
    CROSS JOIN LATERAL (
        SELECT min(n.received_at) FILTER (WHERE g.sha256 = f.sha256) AS received_at, count(*) AS n_notification
        FROM ops.notified_file g JOIN ops.data_notification n USING (data_notification_id)
        WHERE g.filename = f.filename
    ) AS told
    WHERE NOT EXISTS (
        SELECT FROM ops.notified_file g
        WHERE g.filename = f.filename AND g.data_notification_id > f.data_notification_id
    )
), judged AS (
    SELECT l.*, r.started_at AS loaded_at, other.load_run_id,
           CASE WHEN r.started_at IS NOT NULL THEN 'loaded' WHEN other.load_run_id IS NOT NULL THEN 'corrupted'
                WHEN now() > l.received_at + (SELECT complete_within FROM ops.delivery_rule WHERE rule = 'daily')
                THEN 'missing' ELSE 'expected' END AS state
    FROM latest l
    LEFT JOIN ops.input_file i ON i.filename = l.filename AND i.sha256 = l.sha256
    LEFT JOIN ops.load_run r ON r.load_run_id = i.load_run_id
    LEFT JOIN LATERAL (
        SELECT max(g.load_run_id) AS load_run_id
        FROM ops.load_run_input g JOIN ops.load_run o ON o.load_run_id = g.load_run_id
        WHERE regexp_replace(g.path, '^.*/', '') = l.filename AND g.sha256 IS DISTINCT FROM l.sha256
          AND o.started_at >= l.received_at
    ) AS other ON r.started_at IS NULL
    WHERE l.file_id IS NULL
)
SELECT l.filename, l.data_notification_id, l.received_at, l.sha256, l.size_bytes, l.n_notification, 'loaded' AS state,
       r.started_at AS loaded_at, CAST(NULL AS text) AS reason
FROM latest l JOIN ops.input_file i USING (file_id) JOIN ops.load_run r ON r.load_run_id = i.load_run_id
UNION ALL
SELECT filename, data_notification_id, received_at, sha256, size_bytes, n_notification, state, loaded_at,
       CASE state WHEN 'corrupted' THEN
                format('run %s was given a file of that name with another checksum: fetch it again', load_run_id)
            WHEN 'missing' THEN 'it was announced and never loaded: fetch it, or ask who sent the notification' END
FROM judged;

CREATE OR REPLACE VIEW ops.transmission AS
SELECT n.data_notification_id, n.observed_until, n.on_ground_at, n.at_soc_at,
       n.on_ground_at - n.observed_until AS to_ground, g.deliver_within AS to_ground_allowed,
       n.at_soc_at - n.on_ground_at AS to_soc, s.deliver_within AS to_soc_allowed,
       n.on_ground_at - n.observed_until > g.deliver_within OR n.at_soc_at - n.on_ground_at > s.deliver_within AS is_late
FROM ops.data_notification n
LEFT JOIN ops.delivery_rule g ON g.rule = 'to-ground'
LEFT JOIN ops.delivery_rule s ON s.rule = 'to-soc';
