"""Histories of events: one event across seasons, and twins among its models.

Revision: 0042, after 0041, 2026-11-27 11:34:29.588345
"""

import sqlalchemy as sa
from alembic import op

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what says so; of what is stored nothing is known yet, and models are of one season."""
    op.add_column('event', sa.Column('same_as_event_id', sa.BigInteger(), nullable=True, comment='The first event of which this is the same brightening of the same star, as its tail in a later season or its row of all seasons; empty of the first itself. Of candidates that are refused, the event that they are part of.'), schema='roman')
    op.create_foreign_key(op.f('event_same_as_event_id_fkey'), 'event', 'event', ['same_as_event_id'], ['event_id'], source_schema='roman', referent_schema='roman')
    op.add_column('event_model', sa.Column('twin_of', sa.BigInteger(), nullable=True, comment='The better one of two models of the event that its light curve hardly tells apart (chi2 within 25), this being the other; empty where no better one is known to be its twin.'), schema='roman')
    op.add_column('event_model', sa.Column('degeneracy', sa.Text(), nullable=True, comment='By what it is a twin: ecliptic (the source passes on the other side, the northern parallax turned), close_wide (s below and above 1), inner_outer (a planet on either side of where the source crosses the axis), or binary_source (two sources beside two lenses). Empty without twin_of.'), schema='roman')
    op.add_column('event_model', sa.Column('up_to_season', sa.SmallInteger(), nullable=True, comment='Season up to whose end all light curves were fitted; empty where those of the season of the event alone were.'), schema='roman')
    op.create_foreign_key(op.f('event_model_twin_of_fkey'), 'event_model', 'event_model', ['twin_of'], ['event_model_id'], source_schema='roman', referent_schema='roman')


def downgrade() -> None:
    """Forget it."""
    for column in ('up_to_season', 'degeneracy', 'twin_of'):
        op.drop_column('event_model', column, schema='roman')
    op.drop_column('event', 'same_as_event_id', schema='roman')
