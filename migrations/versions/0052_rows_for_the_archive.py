"""Rows for the archive's tables of products, and checksums of forced catalogs.

Revision: 0052, after 0051
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0052'
down_revision = '0051'
branch_labels = None
depends_on = None

_FORCED_SHA256 = (
    'SHA-256 checksum of the file at forced_path; empty without one, and where it was written by a release before 0052.'
)


def upgrade() -> None:
    """Add the table and the columns; checksums of files that are there already are not known."""
    op.create_table('archive_row',
    sa.Column('archive_table', sa.Text(), nullable=False, comment='Table of the archive, as RAD names it: WFIMSOSCatalog.'),
    sa.Column('filename', sa.Text(), nullable=False, comment='Name of the file; one that is written again under its name replaces its row.'),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="Values by the archive's columns."),
    sa.Column('code_version', sa.Text(), nullable=False, comment='Version of this software that wrote the file.'),
    sa.Column('written_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When the row was written, after the file had got its name.'),
    sa.PrimaryKeyConstraint('archive_table', 'filename', name=op.f('archive_row_pkey')),
    schema='ops',
    comment='Rows for the tables of the archive that describe products, one row an exported file; the views of the schema archive have their columns.'
    )
    for table in ('source_catalog_mosaic', 'source_catalog_exposure'):
        op.add_column(table, sa.Column('forced_sha256', sa.Text(), nullable=True, comment=_FORCED_SHA256), schema='roman')


def downgrade() -> None:
    """Forget the rows, which exporting again makes, and the checksums, which measuring again makes."""
    for table in ('source_catalog_exposure', 'source_catalog_mosaic'):
        op.drop_column(table, 'forced_sha256', schema='roman')
    op.drop_table('archive_row', schema='ops')
