"""What the search for events came to.

Revision: 0040, after 0039, 2026-11-27 11:36:16.789187
"""

import sqlalchemy as sa
from alembic import op

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None

#: What was searched so far: candidates of the ranges of objects that were done, as far as they still are some.
SEARCHED = """
INSERT INTO roman.event_search (object_id, season, photometry_kind, outcome, load_run_id)
SELECT v.object_id, v.season, v.photometry_kind,
       CASE WHEN EXISTS (
           SELECT FROM roman.event AS e
           WHERE e.object_id = v.object_id AND e.season = v.season AND e.photometry_kind = v.photometry_kind
             AND e.classification <> 'not_found'
       ) THEN 'candidate' ELSE 'nothing' END,
       max(t.load_run_id)
FROM ops.task_run AS t
JOIN roman.variability AS v
  ON v.season = CAST(t.arguments ->> 'season' AS smallint)
 AND v.photometry_kind = t.arguments ->> 'photometry_kind'
 AND v.object_id BETWEEN CAST(t.arguments ->> 'first_object' AS bigint)
                     AND CAST(t.arguments ->> 'last_object' AS bigint)
WHERE t.task = 'events' AND t.state = 'succeeded'
  AND (v.variability_index >= 3 OR v.longest_run >= 3 OR (1 - v.von_neumann / 2) * sqrt(v.n_point) >= 4)
GROUP BY v.object_id, v.season, v.photometry_kind
"""


def upgrade() -> None:
    """Make the table, and fill it with what was searched, which need not be searched again."""
    op.create_table('event_search',
    sa.Column('object_id', sa.BigInteger(), nullable=False, comment='Object that was searched.'),
    sa.Column('season', sa.SmallInteger(), nullable=False, comment='Season whose light curves were searched; 0 for those of all seasons.'),
    sa.Column('photometry_kind', sa.Text(), nullable=False, comment='Kind of the light curves: see roman.light_curve_block.'),
    sa.Column('outcome', sa.Text(), nullable=False, comment='What the search came to: candidate, brightenings that stand out, which are rows of roman.event with the verdicts on them; nothing, where none does; no_points; fit_failed, where the search broke off or its process was killed, for which ops.load_rejection has the reason, and roman.event is as it was before; constant, where the object varied enough to be searched, and does no more.'),
    sa.Column('n_point', sa.Integer(), nullable=True, comment='Points of the light curves that count, outliers among them; empty where none were searched, and in searches of releases before 0040.'),
    sa.Column('load_run_id', sa.BigInteger(), nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint("outcome IN ('candidate', 'nothing', 'no_points', 'fit_failed', 'constant')", name=op.f('event_search_search_outcome_check')),
    sa.PrimaryKeyConstraint('photometry_kind', 'season', 'object_id', name=op.f('event_search_pkey')),
    schema='roman',
    comment='The last search for microlensing events in the light curves of each object of a season that was to be searched, and what came of it, also where nothing was found. An object that varies enough to be searched and has no row was not reached.'
    )
    op.execute(SEARCHED)


def downgrade() -> None:
    """What was searched is known of ranges of objects alone."""
    op.drop_table('event_search', schema='roman')
