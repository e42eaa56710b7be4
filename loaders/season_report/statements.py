"""What the pages of a season ask the database; ``load.py`` alone sends it.

``:season`` and ``:photometry_kind`` choose the light curves; season 0 is that of all of them.
"""

_MINE = "season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind"

ELEMENTS = f"""
SELECT optical_element, count(*) AS n_object, sum(n_point)::bigint AS n_point,
       count(*) FILTER (WHERE is_variable) AS n_variable
FROM roman.variability WHERE {_MINE} GROUP BY optical_element ORDER BY sum(n_point) DESC, optical_element
"""

#: All variable objects up to a number, and one in so many of the others.
VARIABILITY = f"""
SELECT coalesce(roman.ab_magnitude(mean_flux), 'NaN')::float8 AS magnitude,
       coalesce(variability_index, 'NaN')::float8 AS index,
       coalesce(cbrt(reduced_chi2), 'NaN')::float8 AS root, is_variable
FROM (
    SELECT *, row_number() OVER (PARTITION BY is_variable ORDER BY hashint8(object_id)) AS n
    FROM roman.variability WHERE {_MINE} AND optical_element = :optical_element
) AS every
WHERE CASE WHEN is_variable THEN n <= CAST(:most AS bigint)
           ELSE mod(n, CAST(:one_in AS bigint)) = 0 END
"""

LOCUS = f"""
SELECT magnitude, centre, width FROM roman.variability_locus
WHERE {_MINE} AND optical_element = :optical_element ORDER BY magnitude
"""

REASONS = f"""
SELECT classification, is_event, count(*) AS n FROM roman.event
WHERE {_MINE} GROUP BY classification, is_event ORDER BY is_event DESC, n DESC, classification
"""

CANDIDATES = f"""
SELECT o.ra, o.dec, e.classification, e.is_event
FROM roman.event AS e JOIN roman.object AS o USING (object_id)
WHERE {_MINE} AND e.classification <> 'not_found' ORDER BY e.event_id
"""

OBJECTS = f"""
SELECT o.ra, o.dec FROM roman.current_object AS o
WHERE mod(abs(hashint8(o.object_id)::bigint), CAST(:one_in AS bigint)) = 0
  AND EXISTS (SELECT FROM roman.variability AS v WHERE v.object_id = o.object_id AND {_MINE})
ORDER BY o.object_id
"""

EINSTEIN_TIMES = f"""
SELECT e.classification, p.value FROM roman.event AS e
JOIN roman.event_model AS m USING (event_id) JOIN roman.event_model_parameter AS p USING (event_model_id)
WHERE {_MINE} AND e.is_event AND m.rank = 1 AND m.superseded_at IS NULL AND p.name = 't_E' AND p.value > 0
ORDER BY e.classification, e.event_id
"""

DETECTIONS = f"""
SELECT name, inject_medium, tp_count, fp_count, tn_count, fn_count, completeness, completeness_lower,
       completeness_upper, n_needed_completeness, reliability, reliability_lower, reliability_upper,
       n_needed_reliability
FROM roman.event_detection_cell
WHERE {_MINE} AND field_id = 0 AND magnitude_lower = 0 AND magnitude_upper = 99 ORDER BY injection_run_id
"""

#: Values of the run that measured the season last; limits and verdicts as they were then.
METRICS = """
SELECT m.metric, coalesce(l.description, '') AS description, coalesce(l.unit, '') AS unit, m.value, m.lower,
       m.upper, m.verdict
FROM ops.quality_metric AS m
LEFT JOIN ops.quality_limit AS l ON l.metric = m.metric AND l.optical_element = 'any'
WHERE num_nonnulls(m.exposure_id, m.block_id, m.psf_model_id, m.reference_image_id) = 0
  AND m.load_run_id = (
    SELECT max(t.load_run_id) FROM ops.task_run AS t
    WHERE t.task = :task AND t.state = 'succeeded' AND t.arguments ->> 'season' = CAST(:season AS text)
      AND t.arguments ->> 'photometry_kind' = :photometry_kind)
ORDER BY m.verdict = 'failure' DESC, m.verdict = 'warning' DESC, m.metric
"""

EVENT_IDS = f"""
SELECT event_id FROM roman.event WHERE {_MINE} AND is_event ORDER BY delta_chi2 DESC NULLS LAST, event_id
"""

EVENTS = """
SELECT e.event_id, e.object_id, e.classification, e.t_0_guess, e.t_eff, e.delta_chi2, e.explained, o.ra, o.dec
FROM roman.event AS e JOIN roman.object AS o USING (object_id)
WHERE e.event_id = ANY(CAST(:events AS bigint[]))
"""

#: What else is known as the same brightening.
SAME = """
SELECT e.event_id AS of_event, o.event_id, o.season, o.classification, o.same_as_event_id IS NULL AS is_first
FROM roman.event AS e JOIN roman.event AS o
    ON o.object_id = e.object_id AND o.event_id <> e.event_id
    AND coalesce(o.same_as_event_id, o.event_id) = coalesce(e.same_as_event_id, e.event_id)
WHERE e.event_id = ANY(CAST(:events AS bigint[])) ORDER BY e.event_id, o.season = 0, o.season, o.event_id
"""

MODELS = """
SELECT m.event_id, m.event_model_id, m.rank, m.name, m.n_lens, m.n_source, m.chi2, m.n_point, m.n_parameter,
       m.bic, m.t_0_par, m.is_converged, m.software, b.rank AS twin_of, m.degeneracy, m.up_to_season
FROM roman.event_model AS m LEFT JOIN roman.event_model AS b ON b.event_model_id = m.twin_of
WHERE m.event_id = ANY(CAST(:events AS bigint[])) AND m.superseded_at IS NULL ORDER BY m.event_id, m.rank
"""

PARAMETERS = """
SELECT p.event_model_id, p.name, p.value, coalesce(p.err, 'NaN') AS err FROM roman.event_model_parameter AS p
JOIN roman.event_model AS m USING (event_model_id)
WHERE m.event_id = ANY(CAST(:events AS bigint[])) AND m.superseded_at IS NULL
"""

FLUXES = """
SELECT f.event_model_id, f.optical_element, f.source_number, f.flux, coalesce(f.flux_err, 'NaN') AS flux_err,
       f.error_scale, f.limb_darkening
FROM roman.event_model_flux AS f JOIN roman.event_model AS m USING (event_model_id)
WHERE m.event_id = ANY(CAST(:events AS bigint[])) AND m.superseded_at IS NULL
ORDER BY f.event_model_id, f.optical_element, f.source_number DESC
"""

SAMPLES = """
SELECT s.event_model_id, s.name, s.sample
FROM roman.event_model_sample AS s JOIN roman.event_model AS m USING (event_model_id)
WHERE m.event_id = ANY(CAST(:events AS bigint[])) AND m.superseded_at IS NULL AND m.rank = 1
"""

PHYSICS = """
SELECT m.event_id, m.rank, p.event_model_id, p.status, p.source_status, p.rho_status, p.parallax_status,
       p.prior_status, p.blend_status
FROM roman.event_physical AS p JOIN roman.event_model AS m USING (event_model_id)
WHERE m.event_id = ANY(CAST(:events AS bigint[])) AND m.superseded_at IS NULL ORDER BY m.event_id, m.rank
"""

QUANTITIES = """
SELECT q.event_model_id, q.name, q.method, q.value, q.lower, q.upper, q.confidence, q.unit
FROM roman.event_physical_parameter AS q JOIN roman.event_model AS m USING (event_model_id)
WHERE m.event_id = ANY(CAST(:events AS bigint[])) AND m.superseded_at IS NULL
ORDER BY q.event_model_id, q.method, q.name
"""

MOTIONS = """
SELECT event_id, season, method, status, n_season, n_exposure, pm_rel_ra, pm_rel_ra_err,
       pm_rel_dec, pm_rel_dec_err, sign_known
FROM roman.relative_proper_motion
WHERE event_id = ANY(CAST(:events AS bigint[])) AND superseded_at IS NULL
ORDER BY event_id, pm_rel_err NULLS LAST, season DESC, method
"""

#: The nearest objects, with their magnitudes in the element in which they have most points.
NEIGHBOURS = f"""
SELECT e.event_id, n.object_id, n.distance, v.optical_element, v.magnitude, c.event_id AS other_id,
       c.classification, coalesce(c.is_event, false) AS is_event
FROM roman.event AS e JOIN roman.object AS o USING (object_id)
CROSS JOIN LATERAL (
    SELECT p.object_id, 3600 * q3c_dist(o.ra, o.dec, p.ra, p.dec) AS distance FROM roman.object AS p
    WHERE q3c_radial_query(p.ra, p.dec, o.ra, o.dec, CAST(:radius AS float8)) AND p.object_id <> o.object_id
    ORDER BY 2, 1 LIMIT CAST(:most AS integer)
) AS n
LEFT JOIN LATERAL (
    SELECT optical_element, roman.ab_magnitude(mean_flux) AS magnitude FROM roman.variability
    WHERE object_id = n.object_id AND {_MINE} ORDER BY n_point DESC, optical_element LIMIT 1
) AS v ON TRUE
LEFT JOIN LATERAL (
    SELECT event_id, classification, is_event FROM roman.event
    WHERE object_id = n.object_id AND {_MINE} AND classification <> 'not_found'
    ORDER BY is_event DESC, delta_chi2 DESC NULLS LAST LIMIT 1
) AS c ON TRUE
WHERE e.event_id = ANY(CAST(:events AS bigint[])) ORDER BY e.event_id, n.distance, n.object_id
"""
