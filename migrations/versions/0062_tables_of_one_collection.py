"""Each table of the community is one collection's; the quality of a season says of which survey; digests of releases say of what;
extractions whose spectra are all combined are known.

Revision: 0062, after 0061
"""

import sqlalchemy as sa
from alembic import op

from roman_db.migrate import UnfitRows

revision = '0062'
down_revision = '0061'
branch_labels = None
depends_on = None

_SHARED = """
    SELECT string_agg(DISTINCT versions, '; ') FROM (
        SELECT string_agg(DISTINCT format('%s %s (%s)', p.name, p.version, p.state), ', ') AS versions
        FROM roman.community_product AS p
        GROUP BY regexp_replace(lower(p.name || '_' || p.version || '_'), '[^a-z0-9]+', '_', 'g')
        HAVING count(*) > 1
        UNION ALL
        SELECT string_agg(DISTINCT format('%s %s (%s)', p.name, p.version, p.state), ', ')
        FROM roman.community_product AS p JOIN roman.community_file AS f USING (community_product_id)
        WHERE f.table_name IS NOT NULL GROUP BY f.table_name HAVING count(*) > 1
    ) AS shared
"""
_DIGEST = (
    'Sum over all rows of the first 64 bits of the MD5 checksum of the row as text, each as a signed number; empty of views.',
    'Sum over all rows of the first 64 bits of the MD5 checksum of the row, each as a signed number; empty of views.',
)
_DIGEST_FORM = 'What the checksum of a row is of: text, of the row as text; binary, of the row as PostgreSQL sends it, as in ops.block_checksum; empty of views.'
_COMBINED_AT = 'When it was seen that the combined spectra of all objects have its spectra, or have them no more since another took its place; empty while some are to be combined again.'
_REMEDY = (
    "The one that was stored last has replaced the rows of the other, and its files where the folder is the same. "
    "Delete the rows of one of them from roman.community_match, community_file and community_product as roman_owner, "
    "upgrade, and let the team of the other submit it again"
)


def upgrade() -> None:
    """Refuse a database in which two versions of a collection share a table; the units of seasons name their survey."""
    shared = op.get_bind().exec_driver_sql(_SHARED, execution_options={"no_parameters": True}).scalar_one()
    if shared is not None:
        raise UnfitRows(f"versions of collections of the community share tables: {shared}. {_REMEDY}")
    op.execute("""
        UPDATE ops.task_run SET arguments = arguments || jsonb_build_object('survey', substring(unit FROM ' of (.+), [^,]+$'))
        WHERE task = 'season_quality' AND NOT arguments ? 'survey'
    """)
    op.add_column('spectral_extraction', sa.Column('combined_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment=_COMBINED_AT), schema='roman')
    _say_of_what_digests_are()
    op.create_unique_constraint(op.f('community_file_table_name_key'), 'community_file', ['table_name'], schema='roman')


def downgrade() -> None:
    """Let them share tables again; the view of the release before is made by its upgrade."""
    op.drop_column('spectral_extraction', 'combined_at', schema='roman')
    op.drop_constraint(op.f('data_release_table_data_release_table_digest_check'), 'data_release_table', schema='ops', type_='check')
    op.drop_column('data_release_table', 'digest_form', schema='ops')
    op.alter_column('data_release_table', 'digest', existing_type=sa.TEXT(), existing_nullable=True, existing_comment=_DIGEST[1], comment=_DIGEST[0], schema='ops')
    op.execute("UPDATE ops.task_run SET arguments = arguments - 'survey' WHERE task = 'season_quality'")
    op.execute('DROP INDEX roman.community_product_spelling_idx')
    op.drop_constraint(op.f('community_file_table_name_key'), 'community_file', schema='roman', type_='unique')


def _say_of_what_digests_are() -> None:
    """Those that are there are of rows as text."""
    op.alter_column('data_release_table', 'digest', existing_type=sa.TEXT(), existing_nullable=True, existing_comment=_DIGEST[0], comment=_DIGEST[1], schema='ops')
    op.add_column('data_release_table', sa.Column('digest_form', sa.Text(), autoincrement=False, nullable=True, comment=_DIGEST_FORM), schema='ops')
    op.execute("UPDATE ops.data_release_table SET digest_form = 'text' WHERE digest IS NOT NULL")
    op.create_check_constraint(
        op.f('data_release_table_data_release_table_digest_check'),
        'data_release_table',
        "digest_form IN ('text', 'binary') AND digest IS NOT NULL OR digest_form IS NULL AND digest IS NULL",
        schema='ops',
    )
