-- Completeness and reliability of an injection by cells of magnitude and density, in place of none.
-- Grain: one row a cell in which anything was injected or detected.
-- Reads: roman.injection_recovery, roman.injected_source, roman.spurious_detection.
-- Writes: roman.detection_efficiency.
-- Parameters:
--   injection_run_id: injection
--   product: what measured the images
--   load_run_id: run that writes
--   magnitude_step = 0.5: height of a cell, mag
--   density_first = 100: density below which there is one cell, per square arcminute
--   density_step = 0.5: width of the cells above it, powers of ten
-- Note: completeness counts by true magnitudes, reliability by measured ones. Sources without a magnitude, of a flux
--   that is not positive, are in no cell. Limits are those of roman.wilson_limit.
WITH trial AS (
    SELECT
        roman.ab_magnitude(s.true_flux) AS magnitude, r.density, r.is_detected::integer AS tp,
        1 - r.is_detected::integer AS fn, 0 AS measured, 0 AS fp
    FROM roman.injection_recovery AS r
    JOIN roman.injected_source AS s USING (injection_run_id, injected_source_id)
    WHERE r.injection_run_id = CAST(:injection_run_id AS bigint) AND r.product = CAST(:product AS text)
    UNION ALL
    SELECT roman.ab_magnitude(measured_flux), density, 0, 0, 1, 0
    FROM roman.injection_recovery
    WHERE
        injection_run_id = CAST(:injection_run_id AS bigint) AND product = CAST(:product AS text)
        AND is_detected
    UNION ALL
    SELECT roman.ab_magnitude(measured_flux), density, 0, 0, 0, 1
    FROM roman.spurious_detection
    WHERE injection_run_id = CAST(:injection_run_id AS bigint) AND product = CAST(:product AS text)
),

placed AS (
    SELECT
        floor(magnitude / CAST(:magnitude_step AS float8)) AS row_number, tp, fn, measured, fp,
        CASE
            WHEN density >= CAST(:density_first AS float8)
                THEN floor(log(density / CAST(:density_first AS float8)) / CAST(:density_step AS float8))
            ELSE -1
        END AS column_number
    FROM trial
    WHERE magnitude IS NOT NULL
),

cell AS (
    SELECT
        row_number, column_number, sum(tp) AS tp, sum(fn) AS fn, sum(measured) AS measured, sum(fp) AS fp
    FROM placed
    GROUP BY row_number, column_number
)

INSERT INTO roman.detection_efficiency (
    injection_run_id, product, magnitude_lower, magnitude_upper, density_lower, density_upper,
    tp_count, fn_count, measured_count, fp_count, completeness, completeness_lower, completeness_upper,
    reliability, reliability_lower, reliability_upper, load_run_id
)
SELECT
    CAST(:injection_run_id AS bigint), CAST(:product AS text),
    row_number * CAST(:magnitude_step AS float8), (row_number + 1) * CAST(:magnitude_step AS float8),
    CASE
        WHEN column_number < 0 THEN 0
        ELSE CAST(:density_first AS float8) * 10 ^ (column_number * CAST(:density_step AS float8))
    END,
    CAST(:density_first AS float8) * 10 ^ ((column_number + 1) * CAST(:density_step AS float8)),
    tp, fn, measured, fp,
    tp / nullif(tp + fn, 0)::float8, roman.wilson_limit(tp, tp + fn, -1), roman.wilson_limit(tp, tp + fn, 1),
    measured / nullif(measured + fp, 0)::float8,
    roman.wilson_limit(measured, measured + fp, -1), roman.wilson_limit(measured, measured + fp, 1),
    CAST(:load_run_id AS bigint)
FROM cell
