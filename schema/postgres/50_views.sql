-- What people query: light curves as rows and as arrays; what their columns mean stands in schema/views. Arrays are
-- unnested side by side in a target list, which hands on row after row; unnest in FROM would write each array to a
-- table of its own first.

CREATE OR REPLACE VIEW roman.light_curve AS
SELECT s.object_id, b.field_id, b.detector, b.optical_element, b.photometry_kind,
       e.exposure_id, e.midpoint_mjd_tdb, e.midpoint_bjd_tdb, e.flux, e.flux_err,
       coalesce(e.flags, 0) AS flags, roman.ab_magnitude(e.flux) AS ab_mag,
       1.0857362 * e.flux_err / nullif(greatest(e.flux, 0), 0) AS ab_mag_err,
       s.block_id, s.start_mjd
FROM roman.light_curve_segment s
JOIN roman.light_curve_block b
    ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
CROSS JOIN LATERAL (
    SELECT unnest(b.exposure_id) AS exposure_id, unnest(b.midpoint_mjd_tdb) AS midpoint_mjd_tdb,
           unnest(b.midpoint_bjd_tdb) AS midpoint_bjd_tdb, unnest(s.flux) AS flux, unnest(s.flux_err) AS flux_err,
           unnest(roman.expand_flag_run(s.flag_run, b.n_epoch)) AS flags
) AS e
WHERE e.flux <> 'NaN'::real OR e.flags <> 0;

-- The order needs no look into an array: unpacking the first time of each took a third of the query.
CREATE OR REPLACE VIEW roman.light_curve_array AS
SELECT s.object_id, b.optical_element, b.photometry_kind, sum(b.n_epoch)::integer AS n_epoch,
       roman.array_concat(b.exposure_id ORDER BY b.start_mjd, b.block_id) AS exposure_id,
       roman.array_concat(b.midpoint_mjd_tdb ORDER BY b.start_mjd, b.block_id) AS midpoint_mjd_tdb,
       roman.array_concat(b.midpoint_bjd_tdb ORDER BY b.start_mjd, b.block_id) AS midpoint_bjd_tdb,
       roman.array_concat(s.flux ORDER BY b.start_mjd, b.block_id) AS flux,
       roman.array_concat(s.flux_err ORDER BY b.start_mjd, b.block_id) AS flux_err
FROM roman.light_curve_segment s
JOIN roman.light_curve_block b
    ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
GROUP BY s.object_id, b.optical_element, b.photometry_kind;

CREATE OR REPLACE VIEW roman.astrometry_curve AS
SELECT s.object_id, b.field_id, b.detector, b.optical_element, b.photometry_kind,
       e.exposure_id, e.midpoint_mjd_tdb, e.midpoint_bjd_tdb,
       e.offset_ra, e.offset_dec, e.offset_ra_err, e.offset_dec_err, s.block_id, s.start_mjd
FROM roman.astrometry_segment s
JOIN roman.light_curve_block b
    ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
CROSS JOIN LATERAL (
    SELECT unnest(b.exposure_id) AS exposure_id, unnest(b.midpoint_mjd_tdb) AS midpoint_mjd_tdb,
           unnest(b.midpoint_bjd_tdb) AS midpoint_bjd_tdb, unnest(s.offset_ra) AS offset_ra,
           unnest(s.offset_dec) AS offset_dec, unnest(s.offset_ra_err) AS offset_ra_err,
           unnest(s.offset_dec_err) AS offset_dec_err
) AS e
WHERE e.offset_ra <> 'NaN'::real;

CREATE OR REPLACE VIEW roman.shape_curve AS
SELECT s.object_id, b.field_id, b.detector, b.optical_element, b.photometry_kind,
       e.exposure_id, e.midpoint_mjd_tdb, e.midpoint_bjd_tdb,
       e.size_excess, e.e1, e.e2, e.size_excess_err, e.e1_err, e.e2_err, e.reduced_chi2, s.block_id, s.start_mjd
FROM roman.shape_segment s
JOIN roman.light_curve_block b
    ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
CROSS JOIN LATERAL (
    SELECT unnest(b.exposure_id) AS exposure_id, unnest(b.midpoint_mjd_tdb) AS midpoint_mjd_tdb,
           unnest(b.midpoint_bjd_tdb) AS midpoint_bjd_tdb, unnest(s.size_excess) AS size_excess,
           unnest(s.e1) AS e1, unnest(s.e2) AS e2, unnest(s.size_excess_err) AS size_excess_err,
           unnest(s.e1_err) AS e1_err, unnest(s.e2_err) AS e2_err, unnest(s.reduced_chi2) AS reduced_chi2
) AS e
WHERE e.reduced_chi2 <> 'NaN'::real;

-- All versions that are stored: those that were replaced, too, until compaction drops the partitions that hold them;
-- refined ones stay. Blocks whose points stand in a merged one as well are left out.
CREATE OR REPLACE VIEW roman.light_curve_version AS
SELECT s.object_id, b.optical_element, b.photometry_kind, b.load_run_id, b.superseded_at,
       e.exposure_id, e.midpoint_mjd_tdb, e.midpoint_bjd_tdb, e.flux, e.flux_err,
       coalesce(e.flags, 0) AS flags, s.block_id, s.start_mjd
FROM roman.light_curve_segment s
JOIN roman.light_curve_block b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND NOT b.is_merged
CROSS JOIN LATERAL (
    SELECT unnest(b.exposure_id) AS exposure_id, unnest(b.midpoint_mjd_tdb) AS midpoint_mjd_tdb,
           unnest(b.midpoint_bjd_tdb) AS midpoint_bjd_tdb, unnest(s.flux) AS flux, unnest(s.flux_err) AS flux_err,
           unnest(roman.expand_flag_run(s.flag_run, b.n_epoch)) AS flags
) AS e
WHERE e.flux <> 'NaN'::real OR e.flags <> 0;

-- Light curves of events, the refined ones where there are some, in each optical element.
CREATE OR REPLACE VIEW roman.event_light_curve AS
SELECT v.event_id, v.season, l.object_id, l.field_id, l.detector, l.optical_element, l.photometry_kind,
       l.exposure_id, l.midpoint_mjd_tdb, l.midpoint_bjd_tdb, l.flux, l.flux_err, l.flags,
       l.ab_mag, l.ab_mag_err
FROM roman.event v
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT b.optical_element) AS element
    FROM roman.light_curve_segment s
    JOIN roman.light_curve_block b
        ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
    WHERE s.object_id = v.object_id AND b.photometry_kind = 'refined'
) AS refined
JOIN roman.light_curve l ON l.object_id = v.object_id
    AND l.photometry_kind = CASE WHEN l.optical_element = ANY (refined.element) THEN 'refined'
                                 ELSE v.photometry_kind END;

-- What counts for detection efficiency: light curves with an event, and the same untouched.
CREATE OR REPLACE VIEW roman.event_detection AS
SELECT e.injection_run_id, i.inject_medium, e.injected_event_id, e.object_id, e.field_id, e.season, e.photometry_kind,
       e.kind, e.baseline_flux, r.binary_class, r.is_failed, r.classification
FROM roman.injected_event e JOIN roman.event_recovery r USING (injection_run_id, injected_event_id)
JOIN roman.injection_run i USING (injection_run_id)
WHERE e.kind IN ('point_lens', 'planet', 'untouched');

-- Events that were injected into light curves, and what was found, as the archive counts it.
CREATE OR REPLACE VIEW roman.event_detection_count AS
WITH counted AS (
    SELECT injection_run_id, season, photometry_kind,
           count(*) FILTER (WHERE binary_class = 'TP') AS tp_count,
           count(*) FILTER (WHERE binary_class = 'FP') AS fp_count,
           count(*) FILTER (WHERE binary_class = 'TN') AS tn_count,
           count(*) FILTER (WHERE binary_class = 'FN') AS fn_count,
           count(*) FILTER (WHERE is_failed AND binary_class = 'FN') AS n_failed
    FROM roman.event_detection GROUP BY injection_run_id, season, photometry_kind
), control AS (
    SELECT e.injection_run_id, e.season, e.photometry_kind,
           count(*) FILTER (WHERE e.kind = 'reversed') AS fp_reversed_count,
           count(*) FILTER (WHERE e.kind = 'inverted') AS fp_inverted_count
    FROM roman.injected_event e JOIN roman.event_recovery r USING (injection_run_id, injected_event_id)
    WHERE r.binary_class = 'FP' AND e.kind IN ('reversed', 'inverted')
    GROUP BY e.injection_run_id, e.season, e.photometry_kind
)
SELECT c.injection_run_id, i.name, c.season, c.photometry_kind, i.inject_medium,
       c.tp_count, c.fp_count, c.tn_count, c.fn_count, c.n_failed,
       coalesce(n.fp_reversed_count, 0) AS fp_reversed_count, coalesce(n.fp_inverted_count, 0) AS fp_inverted_count,
       c.tp_count / nullif(c.tp_count + c.fn_count, 0)::double precision AS completeness,
       roman.wilson_limit(c.tp_count, c.tp_count + c.fn_count, -1) AS completeness_lower,
       roman.wilson_limit(c.tp_count, c.tp_count + c.fn_count, 1) AS completeness_upper,
       c.tp_count / nullif(c.tp_count + c.fp_count, 0)::double precision AS reliability,
       roman.wilson_limit(c.tp_count, c.tp_count + c.fp_count, -1) AS reliability_lower,
       roman.wilson_limit(c.tp_count, c.tp_count + c.fp_count, 1) AS reliability_upper
FROM counted c JOIN roman.injection_run i USING (injection_run_id)
LEFT JOIN control n USING (injection_run_id, season, photometry_kind);

-- The same by field and magnitude, each, both and neither; light curves without a point have no magnitude.
CREATE OR REPLACE VIEW roman.event_detection_cell AS
WITH counted AS (
    SELECT injection_run_id, season, photometry_kind,
           CASE WHEN grouping(field_id) = 0 THEN field_id ELSE 0 END::smallint AS field_id,
           CASE WHEN grouping(m.cell) = 0 THEN m.cell ELSE 0 END::double precision AS magnitude_lower,
           CASE WHEN grouping(m.cell) = 0 THEN m.cell + 1 ELSE 99 END::double precision AS magnitude_upper,
           count(*) FILTER (WHERE binary_class = 'TP') AS tp_count,
           count(*) FILTER (WHERE binary_class = 'FP') AS fp_count,
           count(*) FILTER (WHERE binary_class = 'TN') AS tn_count,
           count(*) FILTER (WHERE binary_class = 'FN') AS fn_count,
           count(*) FILTER (WHERE is_failed AND binary_class = 'FN') AS n_failed
    FROM roman.event_detection
    CROSS JOIN LATERAL (SELECT floor(roman.ab_magnitude(baseline_flux))) AS m (cell)
    GROUP BY injection_run_id, season, photometry_kind, CUBE (field_id, m.cell)
    HAVING (grouping(field_id) = 1 OR field_id IS NOT NULL) AND (grouping(m.cell) = 1 OR m.cell IS NOT NULL)
)
SELECT l.injection_run_id, i.name, l.season, l.photometry_kind, i.inject_medium, l.field_id, l.magnitude_lower, l.magnitude_upper,
       tp_count, fp_count, tn_count, fn_count, n_failed,
       c.share AS completeness, c.lower AS completeness_lower, c.upper AS completeness_upper, c.n_needed AS n_needed_completeness,
       r.share AS reliability, r.lower AS reliability_lower, r.upper AS reliability_upper, r.n_needed AS n_needed_reliability
FROM counted l JOIN roman.injection_run i USING (injection_run_id)
CROSS JOIN LATERAL roman.binomial_share(tp_count, tp_count + fn_count) AS c
CROSS JOIN LATERAL roman.binomial_share(tp_count, tp_count + fp_count) AS r;

-- The same by place: an object_id begins with its HEALPix pixel.
CREATE OR REPLACE VIEW roman.event_detection_map AS
WITH counted AS (
    SELECT injection_run_id, season, photometry_kind, object_id >> 40 AS healpix_index,
           count(*) FILTER (WHERE binary_class = 'TP') AS tp_count,
           count(*) FILTER (WHERE binary_class = 'FP') AS fp_count,
           count(*) FILTER (WHERE binary_class = 'TN') AS tn_count,
           count(*) FILTER (WHERE binary_class = 'FN') AS fn_count,
           count(*) FILTER (WHERE is_failed AND binary_class = 'FN') AS n_failed
    FROM roman.event_detection GROUP BY injection_run_id, season, photometry_kind, object_id >> 40
)
SELECT l.injection_run_id, i.name, l.season, l.photometry_kind, i.inject_medium, 9::smallint AS healpix_order, l.healpix_index,
       tp_count, fp_count, tn_count, fn_count, n_failed,
       c.share AS completeness, c.lower AS completeness_lower, c.upper AS completeness_upper, c.n_needed AS n_needed_completeness,
       r.share AS reliability, r.lower AS reliability_lower, r.upper AS reliability_upper, r.n_needed AS n_needed_reliability
FROM counted l JOIN roman.injection_run i USING (injection_run_id)
CROSS JOIN LATERAL roman.binomial_share(tp_count, tp_count + fn_count) AS c
CROSS JOIN LATERAL roman.binomial_share(tp_count, tp_count + fp_count) AS r;

-- Events in images beside the same events in light curves; and the same stars without an event.
CREATE OR REPLACE VIEW roman.event_medium_comparison AS
SELECT i.injection_run_id, i.reference_injection_run_id, e.injected_event_id, e.object_id, e.field_id, e.season,
       e.photometry_kind, e.kind, e.baseline_flux, t.t_0 AS true_t_0, t.einstein_time AS true_einstein_time,
       t.u_0 AS true_u_0, t.expected_delta_chi2,
       r.binary_class IN ('TP', 'FP') AS is_found_images, q.binary_class IN ('TP', 'FP') AS is_found_lightcurve,
       r.classification AS classification_images, q.classification AS classification_lightcurve,
       r.delta_chi2 AS delta_chi2_images, q.delta_chi2 AS delta_chi2_lightcurve,
       r.t_0 AS t_0_images, q.t_0 AS t_0_lightcurve,
       r.einstein_time AS einstein_time_images, q.einstein_time AS einstein_time_lightcurve,
       r.u_0 AS u_0_images, q.u_0 AS u_0_lightcurve
FROM roman.injection_run i
JOIN roman.injected_event e USING (injection_run_id)
JOIN roman.event_recovery r USING (injection_run_id, injected_event_id)
JOIN roman.injected_event t ON t.injection_run_id = i.reference_injection_run_id
    AND t.injected_event_id = e.injected_event_id
JOIN roman.event_recovery q ON q.injection_run_id = t.injection_run_id AND q.injected_event_id = t.injected_event_id
WHERE i.inject_medium = 'images';

-- The same as counts. As both levels have the same events, the variance of the difference of shares is that of a pair:
-- (b + c - (b - c)^2 / n) / n^2, b and c being what only one of them found (McNemar 1947, Psychometrika 12, 153).
CREATE OR REPLACE VIEW roman.event_medium_count AS
WITH counted AS (
    SELECT c.injection_run_id, c.reference_injection_run_id, c.season, c.photometry_kind,
           count(*) FILTER (WHERE is_event) AS n_event,
           count(*) FILTER (WHERE is_event AND is_found_images) AS tp_count_images,
           count(*) FILTER (WHERE is_event AND is_found_lightcurve) AS tp_count_lightcurve,
           count(*) FILTER (WHERE is_event AND is_found_images AND is_found_lightcurve) AS n_both,
           count(*) FILTER (WHERE kind = 'untouched') AS n_untouched,
           count(*) FILTER (WHERE kind = 'untouched' AND is_found_images) AS fp_count_images,
           count(*) FILTER (WHERE kind = 'untouched' AND is_found_lightcurve) AS fp_count_lightcurve,
           count(*) FILTER (WHERE kind = 'untouched' AND is_found_images AND is_found_lightcurve) AS n_both_false
    FROM roman.event_medium_comparison c CROSS JOIN LATERAL (SELECT c.kind IN ('point_lens', 'planet')) k (is_event)
    GROUP BY c.injection_run_id, c.reference_injection_run_id, c.season, c.photometry_kind
)
SELECT c.injection_run_id, i.name, c.reference_injection_run_id, c.season, c.photometry_kind,
       c.n_event, c.tp_count_images, c.n_event - c.tp_count_images AS fn_count_images,
       c.tp_count_lightcurve, c.n_event - c.tp_count_lightcurve AS fn_count_lightcurve, c.n_both,
       (c.tp_count_images - c.tp_count_lightcurve) / nullif(c.n_event, 0)::double precision
           AS completeness_difference,
       sqrt(c.tp_count_images + c.tp_count_lightcurve - 2 * c.n_both
            - (c.tp_count_images - c.tp_count_lightcurve) ^ 2 / nullif(c.n_event, 0)::double precision)
           / nullif(c.n_event, 0) AS completeness_difference_err,
       c.n_untouched, c.fp_count_images, c.n_untouched - c.fp_count_images AS tn_count_images,
       c.fp_count_lightcurve, c.n_untouched - c.fp_count_lightcurve AS tn_count_lightcurve, c.n_both_false,
       (c.fp_count_images - c.fp_count_lightcurve) / nullif(c.n_untouched, 0)::double precision
           AS false_positive_difference,
       sqrt(c.fp_count_images + c.fp_count_lightcurve - 2 * c.n_both_false
            - (c.fp_count_images - c.fp_count_lightcurve) ^ 2 / nullif(c.n_untouched, 0)::double precision)
           / nullif(c.n_untouched, 0) AS false_positive_difference_err
FROM counted c JOIN roman.injection_run i USING (injection_run_id);

-- Runs as an operator wants them: the latest first, with what was refused and what failed.
CREATE OR REPLACE VIEW ops.run_overview AS
SELECT r.load_run_id, r.task, r.state, r.started_at, r.finished_at - r.started_at AS duration,
       r.n_expected, r.n_read, r.n_loaded, r.n_unchanged, r.n_rejected,
       (SELECT count(*) FROM ops.task_run t
        WHERE t.load_run_id = r.load_run_id AND t.state = 'failed') AS n_failed_unit, r.message
FROM ops.load_run r ORDER BY r.load_run_id DESC;

-- Quality of each season of a survey by the run that measured it last.
CREATE OR REPLACE VIEW ops.season_quality AS
SELECT r.survey, r.season, r.photometry_kind, m.metric,
       CASE WHEN m.metric ~ '^(event|candidate)_' THEN 'events' ELSE 'photometry' END AS subject,
       m.value, m.lower, m.upper, m.verdict, m.measured_at, m.load_run_id
FROM (
    SELECT arguments ->> 'survey' AS survey, (arguments ->> 'season')::smallint AS season,
           arguments ->> 'photometry_kind' AS photometry_kind, max(load_run_id) AS load_run_id
    FROM ops.task_run WHERE task = 'season_quality' AND state = 'succeeded'
    GROUP BY 1, 2, 3
) AS r
JOIN ops.quality_metric AS m ON m.load_run_id = r.load_run_id
WHERE num_nonnulls(m.exposure_id, m.block_id, m.psf_model_id, m.reference_image_id) = 0;

-- Jobs of workers with the last attempt at each.
CREATE OR REPLACE VIEW ops.queue_job AS
SELECT j.id AS job_id,
       (SELECT string_agg(w.word, ' ' ORDER BY w.place)
        FROM jsonb_array_elements_text(j.args -> 'words') WITH ORDINALITY AS w (word, place)) AS command,
       j.status::text AS state, j.priority, j.lock AS lock_name, j.attempts AS n_attempt,
       (j.args ->> 'retries')::integer AS n_retry, j.abort_requested AS is_to_stop,
       (SELECT min(e.at) FROM queue.procrastinate_events e
        WHERE e.job_id = j.id AND e.type = 'deferred') AS submitted_at,
       j.scheduled_at, a.started_at, a.finished_at, a.host, a.message, a.last_load_run_id, w.last_heartbeat
FROM queue.procrastinate_jobs j
LEFT JOIN queue.procrastinate_workers w ON w.id = j.worker_id
LEFT JOIN LATERAL (
    SELECT t.started_at, t.finished_at, t.host, t.message, t.last_load_run_id FROM ops.job_attempt t
    WHERE t.job_id = j.id ORDER BY t.job_attempt_id DESC LIMIT 1
) a ON true;

-- Jobs that nobody will do any more unless somebody looks into them.
CREATE OR REPLACE VIEW ops.dead_job AS
SELECT job_id, command, n_attempt, submitted_at, finished_at, host, message, last_load_run_id
FROM ops.queue_job WHERE state = 'failed';

-- Objects of the current catalog. Columns by name: a view of all columns cannot get a new one.
CREATE OR REPLACE VIEW roman.current_object AS
SELECT o.object_id, o.ra, o.dec, o.ra_err, o.dec_err, o.ref_epoch, o.pm_ra, o.pm_dec, o.pm_ra_err,
       o.pm_dec_err, o.parallax, o.parallax_err, o.astrometric_solution_id, o.first_catalog_version_id,
       o.catalog_version_id, o.load_run_id
FROM roman.object o
WHERE NOT EXISTS (
    SELECT FROM roman.dropped_object d WHERE d.object_id = o.object_id AND d.restored_by IS NULL
);

-- Of each kind of reference the best for each exposure: valid at its midpoint, of the highest version, its detector's
-- own before one for all.
CREATE OR REPLACE VIEW roman.best_calibration_reference AS
SELECT DISTINCT ON (e.exposure_id, r.reftype)
       e.exposure_id, r.reftype, r.calibration_reference_id, r.version, r.file_id
FROM roman.exposure e
JOIN roman.calibration_reference r
    ON r.optical_element = e.optical_element AND coalesce(r.detector, e.detector) = e.detector
    AND r.superseded_at IS NULL AND e.midpoint_mjd_tdb >= r.valid_from_mjd
    AND e.midpoint_mjd_tdb < coalesce(r.valid_to_mjd, 'Infinity')
ORDER BY e.exposure_id, r.reftype, r.version DESC, r.detector NULLS LAST, r.calibration_reference_id DESC;

-- Dispersed exposures with the references that are best now, and why they are to be extracted again, if they are.
CREATE OR REPLACE VIEW roman.spectral_exposure_state AS
SELECT e.exposure_id, e.detector, e.optical_element, e.midpoint_mjd_tdb, x.spectral_extraction_id,
       b.geometry_reference_id, b.sensitivity_reference_id, b.flat_reference_id,
       CASE WHEN x.spectral_extraction_id IS NULL THEN 'not extracted'
            WHEN x.file_id <> e.file_id THEN 'exposure'
            WHEN x.geometry_reference_id IS DISTINCT FROM b.geometry_reference_id THEN 'geometry'
            WHEN x.sensitivity_reference_id IS DISTINCT FROM b.sensitivity_reference_id THEN 'sensitivity'
            WHEN x.flat_reference_id IS DISTINCT FROM b.flat_reference_id THEN 'flat'
            WHEN x.direct_file_id IS DISTINCT FROM d.file_id
                OR x.direct_exposure_id IS DISTINCT FROM roman.best_direct_exposure(e.exposure_id)
                THEN 'direct exposure'
            WHEN coalesce(x.catalog_version_id, 0) < v.newest AND EXISTS (
                SELECT FROM roman.object o
                WHERE q3c_radial_query(o.ra, o.dec, e.ra, e.dec, x.search_radius)
                  AND o.first_catalog_version_id > coalesce(x.catalog_version_id, 0)) THEN 'catalog'
       END AS stale_reason
FROM roman.exposure e
JOIN roman.optical_element p ON p.optical_element = e.optical_element AND p.kind = 'spectroscopic'
LEFT JOIN roman.spectral_extraction x ON x.exposure_id = e.exposure_id AND x.superseded_at IS NULL
LEFT JOIN roman.exposure d ON d.exposure_id = x.direct_exposure_id
CROSS JOIN (SELECT max(catalog_version_id) AS newest FROM roman.catalog_version) v
CROSS JOIN LATERAL (
    SELECT max(r.calibration_reference_id) FILTER (WHERE r.reftype = 'geometry') AS geometry_reference_id,
           max(r.calibration_reference_id) FILTER (WHERE r.reftype = 'sensitivity') AS sensitivity_reference_id,
           max(r.calibration_reference_id) FILTER (WHERE r.reftype = 'flat') AS flat_reference_id
    FROM roman.best_calibration_reference r WHERE r.exposure_id = e.exposure_id
) b;

-- Combined spectra of extractions that are, or are to be, replaced.
CREATE OR REPLACE VIEW roman.stale_spectrum AS
SELECT s.spectrum_id, s.object_id, s.optical_element, t.exposure_id,
       coalesce(t.stale_reason, 'extracted again') AS stale_reason
FROM roman.spectrum s
JOIN roman.spectrum_part m USING (spectrum_id)
JOIN roman.spectral_extraction x USING (spectral_extraction_id)
JOIN roman.spectral_exposure_state t ON t.exposure_id = x.exposure_id
WHERE s.superseded_at IS NULL AND (x.superseded_at IS NOT NULL OR t.stale_reason IS NOT NULL);
