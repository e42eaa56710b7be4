"""When exposures were seen and stored; eight days with their references, each day; rows of files that are no products go.

Revision: 0061, after 0060
"""

import sqlalchemy as sa
from alembic import op

revision = '0061'
down_revision = '0060'
branch_labels = None
depends_on = None

_SEEN_AT = 'When the last of these files was first seen in a watched folder or announced, by the clock of the database; empty where one of them came with the run alone.'
_STORED_AT = 'When the last exposure of them was stored: a delivery whose making began later has it.'
#: Before 0058 the making of a delivery stored the rows of its files; those that were written by hand stay.
_WRITTEN_BY_MAKING = """
    f.product_id = p.product_id AND d.delivery_id = f.delivery_id AND a.filename = p.filename
    AND a.written_at BETWEEN d.created_at AND (
        SELECT coalesce(max(e.at), 'infinity') FROM ops.delivery_event AS e
        WHERE e.delivery_id = d.delivery_id AND e.kind IN ('made', 'refused', 'failed')
    )
"""
#: The function as the release before has it, for the triggers that both have.
_NOTE_RUNS = """
CREATE OR REPLACE FUNCTION ops.note_received_days() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    INSERT INTO ops.received_day (field_id, day_mjd, load_run_id)
    SELECT DISTINCT n.field_id, n.day_mjd, i.load_run_id FROM stored n JOIN ops.input_file i USING (file_id)
    WHERE NOT EXISTS (
        SELECT FROM ops.received_day d
        WHERE d.field_id = n.field_id AND d.day_mjd = n.day_mjd AND d.load_run_id = i.load_run_id
    )
    ORDER BY n.field_id, n.day_mjd, i.load_run_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$
"""
_EIGHT_DAYS = "name = 'eight-day' AND command = 'run eight-day' AND first_at = '2026-10-01 07:00+00'"


def upgrade() -> None:
    """Let exposures be stored when the run that brought them ended, where that is known; rows that were changed stay."""
    op.add_column('received_day', sa.Column('seen_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment=_SEEN_AT), schema='ops')
    op.add_column('received_day', sa.Column('stored_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment=_STORED_AT), schema='ops')
    op.execute("""
        UPDATE ops.received_day AS d SET stored_at = coalesce(r.finished_at, r.started_at)
        FROM ops.load_run AS r WHERE r.load_run_id = d.load_run_id
    """)
    op.alter_column('received_day', 'stored_at', existing_type=sa.TIMESTAMP(timezone=True), nullable=False, schema='ops')
    _change_rows('8', '1', 'false', 'true', 'Light curves of a day:', 'Light curves of the season so far, with those of a day:')
    op.execute(f"""
        UPDATE ops.product AS p SET archive_row = a.content
        FROM ops.archive_row AS a, ops.delivery_file AS f, ops.delivery AS d
        WHERE p.state = 'staged' AND p.archive_row IS NULL AND {_WRITTEN_BY_MAKING}
    """)
    op.execute(f"""
        DELETE FROM ops.archive_row AS a
        USING ops.product AS p, ops.delivery_file AS f, ops.delivery AS d
        WHERE p.state IN ('staged', 'dropped') AND {_WRITTEN_BY_MAKING}
            AND NOT EXISTS (SELECT FROM ops.product AS v WHERE v.filename = a.filename AND v.state = 'valid')
    """)


def downgrade() -> None:
    """Know the run alone; the view that asks for more is made by the release before."""
    op.execute('DROP VIEW IF EXISTS ops.delivery_due')
    op.execute(_NOTE_RUNS)
    op.drop_column('received_day', 'stored_at', schema='ops')
    op.drop_column('received_day', 'seen_at', schema='ops')
    _change_rows('1', '8', 'true', 'false', 'Light curves of the season so far, with those of a day:', 'Light curves of a day:')


def _change_rows(days, new_days, required, is_required, words, new_words) -> None:
    """Change rows that came with the release and are as it had them."""
    op.execute(f"UPDATE ops.job_schedule SET every_days = {new_days} WHERE every_days = {days} AND {_EIGHT_DAYS}")
    op.execute(f"""
        UPDATE ops.delivery_content SET is_required = {is_required}
        WHERE rule = 'eight-day' AND product = 'reference_frame' AND is_required = {required}
    """)
    op.execute(f"UPDATE ops.delivery_rule SET description = replace(description, '{words}', '{new_words}') WHERE rule = 'daily'")
