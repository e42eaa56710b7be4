"""Posteriors of models.

Revision: 0023, after 0022, 2026-11-26 21:27:25.311067
"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

#: Table, column, type and comment of what is new.
COLUMNS = (
    ('event_model', 'posterior_method', sa.Text(),
     'How the posterior was sampled whose quantiles roman.event_model_parameter has: importance: by draws that are weighted. Empty where it was not sampled, or could not be.'),
    ('event_model', 'n_effective', sa.Double(),
     'Of how many independent draws these quantiles are; empty without.'),
    ('event_model_parameter', 'value_lower', sa.Double(),
     'Value below which 15.87 % of the posterior are; empty, as the next two, where it was not sampled.'),
    ('event_model_parameter', 'value_median', sa.Double(),
     'Median of the posterior.'),
    ('event_model_parameter', 'value_upper', sa.Double(),
     'Value below which 84.13 % of the posterior are.'),
)

#: Table, column, type, whether it may be empty, comment before and after.
COMMENTS = (
    ('event_model', 'rank', sa.SMALLINT(), False,
     'Place among the models of the event, from 1: by bic, to which 10 is added for two sources and 20 for two lenses.',
     'Place among the models of the event, from 1: by bic, to which 10 is added for two sources, 20 for two lenses and 10 without parallax, which itself costs what its prior says and no parameters.'),
    ('event_model_parameter', 'unit', sa.TEXT(), True,
     'Unit of value and err; empty if there is none.',
     'Unit of value, err and the quantiles; empty if there is none.'),
)


def upgrade() -> None:
    """Move the database forward."""
    for table, column, kind, comment in COLUMNS:
        op.add_column(table, sa.Column(column, kind, nullable=True, comment=comment), schema='roman')
    for table, column, kind, nullable, before, after in COMMENTS:
        _comment(table, column, kind, nullable, (before, after))


def downgrade() -> None:
    """Without what is new, and say what was said before."""
    for table, column, _, _ in COLUMNS:
        op.drop_column(table, column, schema='roman')
    for table, column, kind, nullable, before, after in COMMENTS:
        _comment(table, column, kind, nullable, (after, before))


def _comment(table, column, kind, nullable, change) -> None:
    old, new = change
    op.alter_column(
        table, column, existing_type=kind, existing_nullable=nullable, existing_comment=old, comment=new, schema='roman'
    )
