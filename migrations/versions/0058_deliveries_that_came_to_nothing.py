"""Files of deliveries are staged, published or gone, and data releases may be dropped.

Revision: 0058, after 0056
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0058'
down_revision = '0056'
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


def upgrade() -> None:
    """Say of the files of each delivery what became of them; no release was dropped so far."""
    op.add_column('data_release', sa.Column('dropped_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment=_DROPPED_AT), schema='ops')
    op.add_column('data_release', sa.Column('drop_reason', sa.Text(), autoincrement=False, nullable=True, comment=_DROP_REASON), schema='ops')
    op.create_check_constraint(op.f('data_release_data_release_dropped_check'), 'data_release', 'drop_reason IS NULL OR dropped_at IS NOT NULL', schema='ops')
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
