"""Objects that images do not show, though they should, leave the current catalog.

Revision: 0038, after 0037, 2026-11-27 10:20:00
"""

import sqlalchemy as sa
from alembic import op

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None

STAY = 'Objects that a reference image should show and does not; they stay in the catalog.'
LEAVE = 'Objects that a reference image should show and does not; n_dropped says which of them left the current catalog.'


def upgrade() -> None:
    """Make the table, which the next searches fill: nothing was dropped so far."""
    op.create_table('dropped_object',
    sa.Column('object_id', sa.BigInteger(), nullable=False, comment='Object.'),
    sa.Column('catalog_version_id', sa.BigInteger(), nullable=False, comment='Catalog version that dropped it.'),
    sa.Column('restored_by', sa.BigInteger(), nullable=True, comment='Catalog version with which it came back; empty while it is dropped.'),
    sa.Column('reason', sa.Text(), nullable=False, comment='missing where most of the images that do not show it have nothing at its place; merged where most have another object there that takes its light.'),
    sa.Column('log_odds', sa.REAL(), nullable=False, comment='Natural logarithm of the odds that it is there, when it was dropped: at most -3.'),
    sa.Column('n_seen', sa.Integer(), nullable=False, comment='Reference images that showed it.'),
    sa.Column('n_absent', sa.Integer(), nullable=False, comment='Reference images that should have shown it and did not.'),
    sa.Column('load_run_id', sa.BigInteger(), nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint("reason IN ('missing', 'merged')", name=op.f('dropped_object_reason_check')),
    sa.CheckConstraint('restored_by > catalog_version_id', name=op.f('dropped_object_restored_check')),
    sa.ForeignKeyConstraint(['object_id'], ['roman.object.object_id'], name=op.f('dropped_object_object_id_fkey')),
    sa.PrimaryKeyConstraint('object_id', 'catalog_version_id', name=op.f('dropped_object_pkey')),
    schema='roman',
    comment='Objects that left the current catalog because images that should show them do not: one row each time. Their rows, light curves and history stay; roman.current_object leaves out those that did not come back.'
    )
    op.add_column('catalog_version', sa.Column('n_dropped', sa.BigInteger(), server_default='0', nullable=False, comment='Objects that left the current catalog with this version: see roman.dropped_object.'), schema='roman')
    op.add_column('catalog_version', sa.Column('n_restored', sa.BigInteger(), server_default='0', nullable=False, comment='Objects that came back to the current catalog with this version.'), schema='roman')
    op.add_column('reference_source', sa.Column('expected_snr', sa.REAL(), nullable=True, comment='Signal-to-noise ratio that the catalogued flux promised here, of an object that was not found; empty where it was found, and in rows of releases before 0038.'), schema='roman')
    _comment(STAY, LEAVE)


def downgrade() -> None:
    """All objects are of the catalog again."""
    op.execute('DROP VIEW IF EXISTS roman.current_object')
    _comment(LEAVE, STAY)
    op.drop_column('reference_source', 'expected_snr', schema='roman')
    op.drop_column('catalog_version', 'n_restored', schema='roman')
    op.drop_column('catalog_version', 'n_dropped', schema='roman')
    op.drop_table('dropped_object', schema='roman')


def _comment(before, after) -> None:
    op.alter_column(
        'catalog_version', 'n_missing', existing_type=sa.BIGINT(), existing_nullable=False,
        existing_server_default=sa.text("'0'::bigint"), existing_comment=before, comment=after, schema='roman',
    )
