"""What blocks hold as it was noted, seasons that are in files, and products of the community.

Revision: 0054, after 0053
"""

import sqlalchemy as sa
from alembic import op

revision = '0054'
down_revision = '0053'
branch_labels = None
depends_on = None


#: Arrays that are empty where a season is detached.
_ARRAYS = {
    'light_curve_segment': ('flux', 'flux_err'),
    'astrometry_segment': ('offset_ra', 'offset_dec', 'offset_ra_err', 'offset_dec_err'),
    'shape_segment': ('size_excess', 'e1', 'e2', 'size_excess_err', 'e1_err', 'e2_err', 'reduced_chi2'),
}


def upgrade() -> None:
    """Add the tables; that columns may be empty is a matter of the catalog and rewrites no row."""
    op.create_table('block_checksum',
    sa.Column('block_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Block of light curves.'),
    sa.Column('table_name', sa.Text(), autoincrement=False, nullable=False, comment='Table of the schema roman that has the rows.'),
    sa.Column('n_row', sa.BigInteger(), autoincrement=False, nullable=False, comment='Number of rows.'),
    sa.Column('checksum', sa.Text(), autoincrement=False, nullable=False, comment='Sum over the rows of 64 bits of the MD5 of each as PostgreSQL sends it.'),
    sa.Column('noted_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), autoincrement=False, nullable=False, comment='When it was noted.'),
    sa.PrimaryKeyConstraint('block_id', 'table_name', name=op.f('block_checksum_pkey')),
    schema='ops',
    comment='What blocks of light curves hold, as `roman-db verify` noted it; blocks are never changed, so that it is the same ever after.'
    )
    op.create_table('detached_partition',
    sa.Column('partition', sa.Text(), autoincrement=False, nullable=False, comment='Name in the schema roman_partition.'),
    sa.Column('survey', sa.Text(), autoincrement=False, nullable=False, comment='Survey layout.'),
    sa.Column('season', sa.SmallInteger(), autoincrement=False, nullable=False, comment='Season of the survey.'),
    sa.Column('from_mjd', sa.Integer(), autoincrement=False, nullable=False, comment='First day of its window, MJD TDB. [d]'),
    sa.Column('to_mjd', sa.Integer(), autoincrement=False, nullable=False, comment='First day after its window, MJD TDB. [d]'),
    sa.Column('url', sa.Text(), autoincrement=False, nullable=False, comment='The file.'),
    sa.Column('sha256', sa.Text(), autoincrement=False, nullable=False, comment='SHA-256 of the file.'),
    sa.Column('size_bytes', sa.BigInteger(), autoincrement=False, nullable=False, comment='Size of the file. [byte]'),
    sa.Column('n_row', sa.BigInteger(), autoincrement=False, nullable=False, comment='Number of rows.'),
    sa.Column('checksum', sa.Text(), autoincrement=False, nullable=False, comment='Of the rows, as in ops.block_checksum.'),
    sa.Column('state', sa.Text(), autoincrement=False, nullable=False, comment='archived: in the file and in the database; detached: in the file alone.'),
    sa.Column('changed_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), autoincrement=False, nullable=False, comment='When it came to its state.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint("state IN ('archived', 'detached')", name=op.f('detached_partition_detached_state_check')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('detached_partition_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('partition', name=op.f('detached_partition_pkey')),
    schema='ops',
    comment='Partitions of light curves that are, or are to be, in Parquet files instead of the database, one row a partition.'
    )
    op.create_index('detached_partition_season_idx', 'detached_partition', ['survey', 'season'], unique=False, schema='ops')
    op.create_table('community_product',
    sa.Column('community_product_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the version of a collection.'),
    sa.Column('name', sa.Text(), autoincrement=False, nullable=False, comment='Name of the team, in the words of RAD the name of the Community Contributed Science Product.'),
    sa.Column('version', sa.Text(), autoincrement=False, nullable=False, comment='Data release of the collection, such as DR1 (data_release_id of RAD).'),
    sa.Column('title', sa.Text(), autoincrement=False, nullable=False, comment='Title.'),
    sa.Column('description', sa.Text(), autoincrement=False, nullable=False, comment='What it is: the README of the submission.'),
    sa.Column('investigator', sa.Text(), autoincrement=False, nullable=False, comment='Principal investigator.'),
    sa.Column('publication_doi', sa.Text(), autoincrement=False, nullable=False, comment='Digital Object Identifier (DOI) of the collection.'),
    sa.Column('license', sa.Text(), autoincrement=False, nullable=False, comment='Licence for use of the data.'),
    sa.Column('license_url', sa.Text(), autoincrement=False, nullable=False, comment='Where the licence can be read.'),
    sa.Column('target_name', sa.Text(), autoincrement=False, nullable=False, comment='Targets or fields.'),
    sa.Column('state', sa.Text(), autoincrement=False, nullable=False, comment='ingested: stored, seen by nobody else; published; superseded: a later version is published.'),
    sa.Column('published_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When it was published.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint("state IN ('ingested', 'published', 'superseded')", name=op.f('community_product_community_state_check')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('community_product_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('community_product_id', name=op.f('community_product_pkey')),
    sa.UniqueConstraint('name', 'version', name=op.f('community_product_name_version_key')),
    schema='roman',
    comment='Collections of products that the community contributed (Level 5), one row a version.'
    )
    op.create_table('community_file',
    sa.Column('community_file_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the file.'),
    sa.Column('community_product_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Version of the collection.'),
    sa.Column('filename', sa.Text(), autoincrement=False, nullable=False, comment='Name of the file.'),
    sa.Column('kind', sa.Text(), autoincrement=False, nullable=False, comment='table, mask, window_function, psf_kernel, template_image, calibration or document.'),
    sa.Column('description', sa.Text(), autoincrement=False, nullable=False, comment='What it is.'),
    sa.Column('sha256', sa.Text(), autoincrement=False, nullable=False, comment='SHA-256 of its content.'),
    sa.Column('size_bytes', sa.BigInteger(), autoincrement=False, nullable=False, comment='Size. [byte]'),
    sa.Column('n_row', sa.BigInteger(), autoincrement=False, nullable=True, comment='Rows of a table; empty of other kinds.'),
    sa.Column('table_name', sa.Text(), autoincrement=False, nullable=True, comment='Table that queries may name, once it is published; empty of other kinds.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint("kind IN ('table', 'mask', 'window_function', 'psf_kernel', 'template_image', 'calibration', 'document')", name=op.f('community_file_community_kind_check')),
    sa.ForeignKeyConstraint(['community_product_id'], ['roman.community_product.community_product_id'], name=op.f('community_file_community_product_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('community_file_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('community_file_id', name=op.f('community_file_pkey')),
    sa.UniqueConstraint('community_product_id', 'filename', name=op.f('community_file_community_product_id_filename_key')),
    schema='roman',
    comment='Files of the collections that the community contributed, one row a file.'
    )
    op.create_table('community_match',
    sa.Column('community_file_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='File of the table.'),
    sa.Column('row_number', sa.BigInteger(), autoincrement=False, nullable=False, comment='Row of the table, from 1.'),
    sa.Column('object_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Object.'),
    sa.Column('separation', sa.Double(), autoincrement=False, nullable=False, comment='Distance from the catalogued position as it stands in roman.object, no motion applied. [arcsec]'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['community_file_id'], ['roman.community_file.community_file_id'], name=op.f('community_match_community_file_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('community_match_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['object_id'], ['roman.object.object_id'], name=op.f('community_match_object_id_fkey')),
    sa.PrimaryKeyConstraint('community_file_id', 'row_number', name=op.f('community_match_pkey')),
    schema='roman',
    comment='Rows of contributed tables and the objects that they are of: the nearest within the radius that the submission names, one row a row that has one.'
    )
    op.create_index('community_match_object_idx', 'community_match', ['object_id'], unique=False, schema='roman')
    for name, columns in _ARRAYS.items():
        for column in columns:
            op.alter_column(name, column, nullable=True, schema='roman')


def downgrade() -> None:
    """Forget them; seasons that are detached are to be attached before."""
    for name, columns in _ARRAYS.items():
        for column in columns:
            op.alter_column(name, column, nullable=False, schema='roman')
    op.drop_table('community_match', schema='roman')
    op.drop_table('community_file', schema='roman')
    op.drop_table('community_product', schema='roman')
    op.drop_table('detached_partition', schema='ops')
    op.drop_table('block_checksum', schema='ops')
