"""SQL of the search for events."""

from __future__ import annotations

#: What an object must show to be searched: its index, so many points in a row above the catalogued flux, or
#: successive points that have to do with each other, in standard deviations of noise.
_WANTED = """
SELECT DISTINCT v.object_id FROM roman.variability AS v JOIN roman.current_object AS o USING (object_id)
WHERE v.season = CAST(:season AS smallint) AND v.photometry_kind = :photometry_kind
  AND (v.variability_index >= CAST(:index AS float8) OR v.longest_run >= CAST(:run AS integer)
       OR (1 - v.von_neumann / 2) * sqrt(v.n_point) >= CAST(:connection AS float8))
"""

#: The run that last refined objects; of a season also those that were refined with all seasons.
_REFINED = """
SELECT object_id, max(load_run_id) AS load_run_id FROM roman.event_refinement
WHERE status IN ('fitted', 'not_visible', 'far_off') AND superseded_at IS NULL
  AND (CAST(:season AS smallint) = 0 OR season IN (0, CAST(:season AS smallint)))
GROUP BY object_id
"""

#: Those that were not searched since a run, or since they were refined; all of them where that is redone.
#: What failed is tried again.
_LEFT = f"""
wanted AS ({_WANTED}), refined AS ({_REFINED}), pending AS (
    SELECT w.object_id, s.outcome FROM wanted AS w
    LEFT JOIN roman.event_search AS s
      ON s.object_id = w.object_id AND s.season = CAST(:season AS smallint)
     AND s.photometry_kind = :photometry_kind AND s.load_run_id >= CAST(:newest AS bigint)
    LEFT JOIN refined AS r ON r.object_id = w.object_id
    WHERE CAST(:redo AS boolean) OR coalesce(s.outcome IN ('fit_failed', 'constant'), true)
       OR r.load_run_id > coalesce(s.refinement_run_id, 0)
)"""

#: The run that last refined each of some objects.
REFINEMENT_RUNS = f"""
SELECT object_id, load_run_id FROM ({_REFINED}) AS refined
WHERE object_id = ANY(CAST(:objects AS bigint[]))
"""

#: Objects to be searched, in lots.
PENDING = f"""
WITH {_LEFT}, numbered AS (
    SELECT object_id, row_number() OVER (ORDER BY object_id) - 1 AS n FROM pending
)
SELECT array_agg(object_id ORDER BY object_id) AS objects FROM numbered
GROUP BY n / CAST(:size AS bigint) ORDER BY min(object_id)
"""

#: How many objects were not searched, or whose search failed.
LEFT = f"""
WITH {_LEFT}
SELECT count(*) AS n, count(*) FILTER (WHERE outcome = 'fit_failed') AS n_failed FROM pending
"""

#: Objects with events, or searches, that do not vary enough any more to be searched.
UNWANTED = f"""
SELECT object_id FROM (
    SELECT object_id FROM roman.event
    WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
      AND classification <> 'not_found'
    UNION
    SELECT object_id FROM roman.event_search
    WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind AND outcome <> 'constant'
) AS known
EXCEPT ({_WANTED})
ORDER BY object_id
"""

PLACES = """
SELECT o.object_id, o.ra, o.dec FROM roman.object AS o
WHERE o.object_id = ANY(CAST(:objects AS bigint[])) ORDER BY o.object_id
"""

#: Events of objects that this run did not find again are gone; their models stay as history.
LOST = """
UPDATE roman.event
SET is_event = false, classification = 'not_found', load_run_id = CAST(:load_run_id AS bigint)
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND object_id = ANY(CAST(:objects AS bigint[])) AND load_run_id <> CAST(:load_run_id AS bigint)
"""

BEFORE = """
SELECT event_id, object_id, t_0_guess, t_eff FROM roman.event
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND object_id = ANY(CAST(:objects AS bigint[]))
"""

NEWEST_EVENT = """
SELECT coalesce(max(load_run_id), 0) FROM roman.event
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND classification NOT IN ('shared', 'beside_stronger')
"""

SUMMARY = """
SELECT classification, is_event, count(*) AS n FROM roman.event
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
GROUP BY classification, is_event ORDER BY is_event DESC, n DESC, classification
"""
