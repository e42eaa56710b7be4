"""Samples of the posteriors of models, and what physical parameters were drawn from.

Revision: 0033, after 0032, 2026-11-27 07:16:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, which the next search for events fills; nothing was drawn from a posterior so far."""
    op.create_table('event_model_sample',
    sa.Column('event_model_id', sa.BigInteger(), nullable=False, comment='Model.'),
    sa.Column('name', sa.Text(), nullable=False, comment='Parameter as in roman.event_model_parameter, or flux: F146_1 of the first source in F146, F146_0 of the blend.'),
    sa.Column('sample', postgresql.ARRAY(sa.Double()), nullable=False, comment='Values, all of the same weight, in the unit of roman.event_model_parameter or in nJy.'),
    sa.ForeignKeyConstraint(['event_model_id'], ['roman.event_model.event_model_id'], name=op.f('event_model_sample_event_model_id_fkey')),
    sa.PrimaryKeyConstraint('event_model_id', 'name', name=op.f('event_model_sample_pkey')),
    schema='roman',
    comment='Samples of the posterior of models, one row a parameter or flux; the k-th of all rows of a model belong together.'
    )
    op.add_column('event_physical', sa.Column('has_posterior', sa.Boolean(), server_default=sa.false(), nullable=False, comment='Whether these draws are those of the posterior (roman.event_model_sample); if not, of a normal distribution.'), schema='roman')
    op.alter_column('event_physical', 'has_posterior', server_default=None, schema='roman')


def downgrade() -> None:
    """Forget the samples: fits and their errors remain."""
    op.drop_column('event_physical', 'has_posterior', schema='roman')
    op.drop_table('event_model_sample', schema='roman')
