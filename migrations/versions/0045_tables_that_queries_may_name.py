"""Tables that queries may name.

Revision: 0045, after 0044, 2026-11-27 13:47:28.003805
"""

import sqlalchemy as sa
from alembic import op

revision = '0045'
down_revision = '0044'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of TAP_SCHEMA; every upgrade fills them anew."""
    op.create_table('schemas',
    sa.Column('schema_name', sa.Text(), nullable=False, comment='Name of the schema.'),
    sa.Column('utype', sa.Text(), nullable=True, comment='Data model that the schema as a whole follows; empty where it follows none.'),
    sa.Column('description', sa.Text(), nullable=True, comment='What is in it.'),
    sa.Column('schema_index', sa.Integer(), nullable=True, comment='Place of the schema in lists.'),
    sa.PrimaryKeyConstraint('schema_name', name=op.f('schemas_pkey')),
    schema='tap_schema',
    comment='Schemas that queries may name (TAP 1.1, section 4.1).'
    )
    op.create_table('tables',
    sa.Column('schema_name', sa.Text(), nullable=False, comment='Schema that it is in.'),
    sa.Column('table_name', sa.Text(), nullable=False, comment='Name with the schema, as a query writes it.'),
    sa.Column('table_type', sa.Text(), nullable=False, comment='table or view.'),
    sa.Column('utype', sa.Text(), nullable=True, comment='Data model that the table follows; empty where it follows none.'),
    sa.Column('description', sa.Text(), nullable=True, comment='What its rows are.'),
    sa.Column('table_index', sa.Integer(), nullable=True, comment='Place of the table in lists.'),
    sa.ForeignKeyConstraint(['schema_name'], ['tap_schema.schemas.schema_name'], name=op.f('tables_schema_name_fkey')),
    sa.PrimaryKeyConstraint('table_name', name=op.f('tables_pkey')),
    schema='tap_schema',
    comment='Tables and views that queries may name (TAP 1.1, section 4.2).'
    )
    op.create_table('columns',
    sa.Column('table_name', sa.Text(), nullable=False, comment='Table that it is in, as in tap_schema.tables.'),
    sa.Column('column_name', sa.Text(), nullable=False, comment='Name as a query writes it: in double quotes where it is a word of ADQL.'),
    sa.Column('datatype', sa.Text(), nullable=False, comment='Datatype of VOTable.'),
    sa.Column('arraysize', sa.Text(), nullable=True, comment='Number of elements as VOTable has it; empty for a single value.'),
    sa.Column('xtype', sa.Text(), nullable=True, comment='Extended type of DALI; empty where there is none.'),
    sa.Column('size', sa.Integer(), nullable=True, comment='Number of elements where it is fixed; deprecated by the standard in favour of arraysize.'),
    sa.Column('description', sa.Text(), nullable=True, comment='What it means.'),
    sa.Column('utype', sa.Text(), nullable=True, comment='Element of a data model that it is; empty where it is none.'),
    sa.Column('unit', sa.Text(), nullable=True, comment='Unit (VOUnits); empty where there is none.'),
    sa.Column('ucd', sa.Text(), nullable=True, comment='UCD1+; empty where there is none.'),
    sa.Column('indexed', sa.Integer(), nullable=False, comment='1 where rows are found by it without reading all, else 0.'),
    sa.Column('principal', sa.Integer(), nullable=False, comment='1 where it is one of the columns to look at first, else 0.'),
    sa.Column('std', sa.Integer(), nullable=False, comment='1 where a standard defines it, else 0.'),
    sa.Column('column_index', sa.Integer(), nullable=True, comment='Place of the column in its table.'),
    sa.ForeignKeyConstraint(['table_name'], ['tap_schema.tables.table_name'], name=op.f('columns_table_name_fkey')),
    sa.PrimaryKeyConstraint('table_name', 'column_name', name=op.f('columns_pkey')),
    schema='tap_schema',
    comment='Columns that queries may name (TAP 1.1, section 4.3).'
    )
    op.create_table('keys',
    sa.Column('key_id', sa.Text(), nullable=False, comment='Identifier of the reference.'),
    sa.Column('from_table', sa.Text(), nullable=False, comment='Table that refers.'),
    sa.Column('target_table', sa.Text(), nullable=False, comment='Table that is referred to.'),
    sa.Column('description', sa.Text(), nullable=True, comment='What the reference means.'),
    sa.Column('utype', sa.Text(), nullable=True, comment='Element of a data model that it is; empty where it is none.'),
    sa.ForeignKeyConstraint(['from_table'], ['tap_schema.tables.table_name'], name=op.f('keys_from_table_fkey')),
    sa.ForeignKeyConstraint(['target_table'], ['tap_schema.tables.table_name'], name=op.f('keys_target_table_fkey')),
    sa.PrimaryKeyConstraint('key_id', name=op.f('keys_pkey')),
    schema='tap_schema',
    comment='Which tables refer to which (TAP 1.1, section 4.4).'
    )
    op.create_table('key_columns',
    sa.Column('key_id', sa.Text(), nullable=False, comment='Reference, as in tap_schema.keys.'),
    sa.Column('from_column', sa.Text(), nullable=False, comment='Column of the table that refers.'),
    sa.Column('target_column', sa.Text(), nullable=False, comment='Column of the table that is referred to.'),
    sa.ForeignKeyConstraint(['key_id'], ['tap_schema.keys.key_id'], name=op.f('key_columns_key_id_fkey')),
    sa.PrimaryKeyConstraint('key_id', 'from_column', name=op.f('key_columns_pkey')),
    schema='tap_schema',
    comment='Columns by which tables refer to others (TAP 1.1, section 4.5).'
    )


def downgrade() -> None:
    """Drop them."""
    for table in ('key_columns', 'keys', 'columns', 'tables', 'schemas'):
        op.drop_table(table, schema='tap_schema')
