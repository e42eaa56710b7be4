"""What is due by days, files of deliveries staged, published or gone, releases dropped, epochs of guide stars.

Revision: 0058, after 0057
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0058'
down_revision = '0057'
branch_labels = None
depends_on = None

_STATE = (
    'valid, or refused where it is not what the archive takes.',
    'staged, while its delivery is not published; valid, once it is; dropped, where the delivery came to nothing and the file is gone; refused, where it is not what the archive takes.',
)
_PROBLEM = ('Why it was refused; empty for valid ones.', 'Why it was refused; empty for others.')
_ARCHIVE_ROW = 'Its row in a table of the archive, by the columns of that, which is shown in the schema archive once the file is published; empty where there is none.'
_DROPPED_AT = 'When it was dropped: its tables are gone since, and its name is not given again; empty while it can be queried.'
_DROP_REASON = 'Why it was dropped though it was what was delivered; empty where it was not, and while it can be queried.'
_EPOCH = 'Epoch of the celestial coordinates of the guide star from the Guide Star Catalog (GSC), as the file has it; empty where the file had none, and of files that a release before 0058 of the schema loaded.'


def upgrade() -> None:
    """Say of the files of each delivery what became of them; no release was dropped so far."""
    op.add_column('data_release', sa.Column('dropped_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment=_DROPPED_AT), schema='ops')
    op.add_column('data_release', sa.Column('drop_reason', sa.Text(), autoincrement=False, nullable=True, comment=_DROP_REASON), schema='ops')
    op.create_check_constraint(op.f('data_release_data_release_dropped_check'), 'data_release', 'drop_reason IS NULL OR dropped_at IS NOT NULL', schema='ops')
    op.add_column('exposure', sa.Column('guide_star_epoch', sa.Text(), autoincrement=False, nullable=True, comment=_EPOCH), schema='roman')
    _note_received_days()
    _change(('valid', 'staged', 'dropped', 'refused'), _STATE, _PROBLEM)
    op.add_column('product', sa.Column('archive_row', postgresql.JSONB(astext_type=sa.Text()), autoincrement=False, nullable=True, comment=_ARCHIVE_ROW), schema='ops')
    op.execute("""
        UPDATE ops.product AS p
        SET state = CASE WHEN d.state IN ('making', 'made') THEN 'staged' ELSE 'dropped' END
        FROM ops.delivery_file AS f JOIN ops.delivery AS d USING (delivery_id)
        WHERE f.product_id = p.product_id AND p.state = 'valid' AND d.published_at IS NULL
    """)


def downgrade() -> None:
    """Tell files that are published from others no more; releases that were dropped are forgotten."""
    for table in ('data_release_table', 'data_release'):
        op.execute(f"DELETE FROM ops.{table} WHERE data_release IN (SELECT data_release FROM ops.data_release WHERE dropped_at IS NOT NULL)")
    op.drop_constraint(op.f('data_release_data_release_dropped_check'), 'data_release', schema='ops', type_='check')
    op.drop_column('data_release', 'drop_reason', schema='ops')
    op.drop_column('data_release', 'dropped_at', schema='ops')
    op.drop_column('exposure', 'guide_star_epoch', schema='roman')
    _forget_received_days()
    op.execute("UPDATE ops.product SET state = 'valid' WHERE state IN ('staged', 'dropped')")
    op.drop_column('product', 'archive_row', schema='ops')
    _change(('valid', 'refused'), _STATE[::-1], _PROBLEM[::-1])


def _change(states, state, problem) -> None:
    """Let products be in some states, and describe them."""
    name = op.f('product_product_state_check')
    op.drop_constraint(name, 'product', schema='ops', type_='check')
    listed = ', '.join(f"'{one}'" for one in states)
    rule = f"state IN ({listed}) AND (state = 'refused') = (problem IS NOT NULL)"
    op.create_check_constraint(name, 'product', rule, schema='ops')
    for column, (old, new), nullable in (('state', state, False), ('problem', problem, True)):
        op.alter_column('product', column, existing_type=sa.TEXT(), existing_nullable=nullable, existing_comment=old, comment=new, schema='ops')


def _note_received_days() -> None:
    """Note the days of the exposures that are stored; none comes in before the triggers that note the next are there."""
    op.create_table('received_day',
    sa.Column('field_id', sa.Integer(), autoincrement=False, nullable=False, comment='Field.'),
    sa.Column('day_mjd', sa.Integer(), autoincrement=False, nullable=False, comment='Day, MJD TDB. [d]'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that was given files of it.'),
    sa.ForeignKeyConstraint(['field_id'], ['roman.field.field_id'], name=op.f('received_day_field_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('received_day_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('field_id', 'day_mjd', 'load_run_id', name=op.f('received_day_pkey')),
    schema='ops',
    comment='Days of which exposures of a field were received, one row a run that brought some; kept by the database itself as exposures are stored, so that what is due is known without going through them.'
    )
    op.execute('LOCK TABLE roman.exposure IN SHARE ROW EXCLUSIVE MODE')
    op.execute("""
        INSERT INTO ops.received_day (field_id, day_mjd, load_run_id)
        SELECT DISTINCT e.field_id, e.day_mjd, i.load_run_id
        FROM roman.exposure AS e JOIN ops.input_file AS i USING (file_id)
    """)
    op.drop_index('exposure_field_id_idx', table_name='exposure', schema='roman')
    op.create_index('exposure_field_id_day_mjd_idx', 'exposure', ['field_id', 'day_mjd'], unique=False, schema='roman')


def _forget_received_days() -> None:
    """Go through all exposures again to know what is due; the views of the release before are made by its upgrade."""
    op.execute('DROP VIEW IF EXISTS ops.delivery_due')
    for event in ('inserted', 'updated'):
        op.execute(f'DROP TRIGGER note_received_days_{event} ON roman.exposure')
    op.execute('DROP FUNCTION ops.note_received_days()')
    op.drop_table('received_day', schema='ops')
    op.drop_index('exposure_field_id_day_mjd_idx', table_name='exposure', schema='roman')
    op.create_index('exposure_field_id_idx', 'exposure', ['field_id'], unique=False, schema='roman')
