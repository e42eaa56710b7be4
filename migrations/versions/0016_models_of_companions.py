"""Models of companions: what the columns of events say now.

Revision: 0016, after 0015, 2026-11-26 15:13:45.143533
"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

#: Table, column (None: the table itself), type, comment before and after.
COMMENTS = (
    ('event', 'classification', sa.TEXT(),
     'single_lens or anomalous of events; of others why they were refused: too_weak, few_points, one_element, erratic, step, trend, outburst, periodic, variable; or not_found in a later run.',
     'Of events what the first of their models is: single_lens, binary_lens, binary_source, or anomalous, a single lens that leaves something out; of others why they were refused: too_weak, few_points, one_element, erratic, step, hump, trend, outburst, periodic, variable, fit_failed, shared; or not_found in a later run.'),
    ('event_model', 'rank', sa.SMALLINT(),
     'Place among the models of the event, by bic, from 1.',
     'Place among the models of the event, from 1: by bic, to which 10 is added for two sources and 20 for two lenses.'),
    ('event_model', 'name', sa.TEXT(),
     'Kind of the model: 1L1S with parallax where _parallax follows.',
     'Kind of the model: 1L1S, 1L1S_finite, 1L2S or 2L1S, with parallax where _parallax follows. One kind may be there several times: solutions that differ.'),
    ('event_model', None, None,
     'Models fitted to events, the best one of each event with rank 1.',
     'Models fitted to events, that which is believed of each event with rank 1.'),
    ('event_model_parameter', 'name', sa.TEXT(),
     't_0 (BJD TDB), u_0, t_E, pi_E_N, pi_E_E and so on.',
     't_0 (BJD TDB), u_0, t_E, rho, s, q, alpha, pi_E_N, pi_E_E and so on.'),
)


def upgrade() -> None:
    """Move the database forward."""
    for table, column, kind, before, after in COMMENTS:
        _comment(table, column, kind, (before, after))


def downgrade() -> None:
    """Say what was said before."""
    for table, column, kind, before, after in COMMENTS:
        _comment(table, column, kind, (after, before))


def _comment(table, column, kind, change) -> None:
    old, new = change
    if column is None:
        op.create_table_comment(table, new, existing_comment=old, schema='roman')
    else:
        op.alter_column(
            table, column, existing_type=kind, existing_nullable=False, existing_comment=old, comment=new, schema='roman'
        )
