"""Announced files know whether they are loaded.

Revision: 0063, after 0062
"""

import sqlalchemy as sa
from alembic import op

revision = '0063'
down_revision = '0062'
branch_labels = None
depends_on = None

_FILE = 'The file among those that were loaded; empty as long as none of its name and checksum is.'


def upgrade() -> None:
    """Note which announced files are loaded already."""
    op.add_column('notified_file', sa.Column('file_id', sa.BIGINT(), autoincrement=False, nullable=True, comment=_FILE), schema='ops')
    op.create_foreign_key('notified_file_file_id_fkey', 'notified_file', 'input_file', ['file_id'], ['file_id'], source_schema='ops', referent_schema='ops')
    op.execute("""
        UPDATE ops.notified_file AS f SET file_id = i.file_id
        FROM ops.input_file AS i WHERE i.filename = f.filename AND i.sha256 = f.sha256
    """)


def downgrade() -> None:
    """Ask the files again; the view that asks them is made by the release before."""
    op.execute('DROP VIEW IF EXISTS ops.input_arrival')
    op.execute('DROP TRIGGER IF EXISTS note_loaded_files_inserted ON ops.input_file')
    op.execute('DROP TRIGGER IF EXISTS note_loaded_files_announced ON ops.notified_file')
    op.execute('DROP FUNCTION IF EXISTS ops.note_loaded_files()')
    op.drop_column('notified_file', 'file_id', schema='ops')
    op.execute('DROP INDEX IF EXISTS ops.load_run_input_filename_idx')
