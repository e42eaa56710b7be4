"""Efficiency by field and magnitude.

Revision: 0041, after 0040, 2026-11-27 11:33:09.430084
"""

import sqlalchemy as sa
from alembic import op

revision = '0041'
down_revision = '0040'
branch_labels = None
depends_on = None

EVENT_KEY = ['injection_run_id', 'einstein_time_lower', 'magnitude_lower', 'u_0_lower']
PLANET_KEY = ['injection_run_id', 's_lower', 'q_lower']
PLANET_MORE = ['field_id', 'magnitude_lower', 'magnitude_upper']

EVENT_BEFORE = 'Completeness of the search for events of single lenses, by cells of Einstein time, magnitude and impact parameter. Cells may be added up.'
PLANET_BEFORE = 'Completeness of the search for planets of lenses, by cells of separation and mass ratio.'
CLASS_BEFORE = 'TP: an event that was found, FN: one that was not; without an event FP: something was found, TN: nothing was.'


def upgrade() -> None:
    """Cells that were counted are those of all fields and magnitudes."""
    op.add_column('event_efficiency', sa.Column('field_id', sa.SmallInteger(), server_default=sa.text('0'), nullable=False, comment='Field of the stars; 0 for those of all fields and of none.'), schema='roman')
    op.create_table_comment(
        'event_efficiency',
        'Completeness of the search for events of single lenses, by cells of Einstein time, magnitude and impact parameter, of all fields and of each. Cells of one field_id may be added up.',
        existing_comment='Completeness of the search for events of single lenses, by cells of Einstein time, magnitude and impact parameter. Cells may be added up.',
        schema='roman'
    )
    op.alter_column('event_recovery', 'binary_class',
               existing_type=sa.TEXT(),
               comment='TP: an event that was found, FN: one that was not; without an event FP: something was found, TN: nothing was. Those of light curves backwards or upside down are controls: roman.event_detection is without them.',
               existing_comment='TP: an event that was found, FN: one that was not; without an event FP: something was found, TN: nothing was.',
               existing_nullable=False,
               schema='roman')
    op.add_column('planet_efficiency', sa.Column('field_id', sa.SmallInteger(), server_default=sa.text('0'), nullable=False, comment='Field of the stars; 0 for those of all fields and of none.'), schema='roman')
    op.add_column('planet_efficiency', sa.Column('magnitude_lower', sa.Double(), server_default=sa.text('0'), nullable=False, comment='Least AB magnitude of the baseline in F146 of the cell; 0 with magnitude_upper 99 for all magnitudes. [mag]'), schema='roman')
    op.add_column('planet_efficiency', sa.Column('magnitude_upper', sa.Double(), server_default=sa.text('99'), nullable=False, comment='AB magnitude of the baseline in F146 at which the next cell begins; 99 in the last one. [mag]'), schema='roman')
    op.create_table_comment(
        'planet_efficiency',
        'Completeness of the search for planets of lenses, by cells of separation and mass ratio: of all fields and magnitudes, of each field, of each cell of magnitude, and of each of both.',
        existing_comment='Completeness of the search for planets of lenses, by cells of separation and mass ratio.',
        schema='roman'
    )
    op.drop_constraint('event_efficiency_pkey', 'event_efficiency', schema='roman')
    op.create_primary_key('event_efficiency_pkey', 'event_efficiency', [*EVENT_KEY, 'field_id'], schema='roman')
    op.drop_constraint('planet_efficiency_pkey', 'planet_efficiency', schema='roman')
    op.create_primary_key('planet_efficiency_pkey', 'planet_efficiency', [*PLANET_KEY, *PLANET_MORE], schema='roman')


def downgrade() -> None:
    """Cells of single fields and magnitudes go: what they count stays."""
    op.execute('DELETE FROM roman.event_efficiency WHERE field_id <> 0')
    op.execute('DELETE FROM roman.planet_efficiency WHERE field_id <> 0 OR magnitude_lower <> 0 OR magnitude_upper <> 99')
    op.drop_constraint('event_efficiency_pkey', 'event_efficiency', schema='roman')
    op.drop_constraint('planet_efficiency_pkey', 'planet_efficiency', schema='roman')
    op.drop_column('event_efficiency', 'field_id', schema='roman')
    for name in PLANET_MORE:
        op.drop_column('planet_efficiency', name, schema='roman')
    op.create_primary_key('event_efficiency_pkey', 'event_efficiency', EVENT_KEY, schema='roman')
    op.create_primary_key('planet_efficiency_pkey', 'planet_efficiency', PLANET_KEY, schema='roman')
    op.create_table_comment('event_efficiency', EVENT_BEFORE, schema='roman')
    op.create_table_comment('planet_efficiency', PLANET_BEFORE, schema='roman')
    op.alter_column(
        'event_recovery', 'binary_class', existing_type=sa.TEXT(), existing_nullable=False,
        comment=CLASS_BEFORE, schema='roman',
    )
