"""Jobs that workers do: the tables of procrastinate in a schema of their own, and what became of each attempt.

Revision: 0050, after 0049
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = '0050'
down_revision = '0049'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the queue; its functions find its tables whatever the search path of who calls them."""
    op.execute("CREATE SCHEMA IF NOT EXISTS queue")
    op.execute("SET LOCAL search_path = queue")
    with op.get_bind().connection.cursor() as cursor:
        cursor.execute(Path(__file__).with_suffix(".sql").read_text())
    op.execute("RESET search_path")
    op.execute("""
    DO $$
    DECLARE
        name regprocedure;
    BEGIN
        FOR name IN SELECT oid FROM pg_proc WHERE pronamespace = 'queue'::regnamespace LOOP
            EXECUTE format('ALTER FUNCTION %s SET search_path = queue, pg_temp', name);
        END LOOP;
    END
    $$
    """)
    op.create_table('job_attempt',
    sa.Column('job_attempt_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the attempt.'),
    sa.Column('job_id', sa.BigInteger(), nullable=False, comment='The job in the queue.'),
    sa.Column('host', sa.Text(), nullable=False, comment='Machine of the worker.'),
    sa.Column('pid', sa.Integer(), nullable=False, comment='Process of the worker.'),
    sa.Column('started_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When the attempt began.'),
    sa.Column('finished_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When the attempt ended.'),
    sa.Column('state', sa.Text(), server_default=sa.text("'running'"), nullable=False, comment='running, succeeded, failed, cancelled (or its worker was told to stop), postponed (another process had the lock) or lost (the worker died).'),
    sa.Column('message', sa.Text(), nullable=True, comment='Why it did not succeed, or what was refused all the same.'),
    sa.Column('last_load_run_id', sa.BigInteger(), nullable=True, comment='The last pipeline mode that it ran; empty where it ran none.'),
    sa.CheckConstraint("state IN ('running', 'succeeded', 'failed', 'cancelled', 'postponed', 'lost')", name=op.f('job_attempt_attempt_state_check')),
    sa.ForeignKeyConstraint(['last_load_run_id'], ['ops.load_run.load_run_id'], name=op.f('job_attempt_last_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('job_attempt_id', name=op.f('job_attempt_pkey')),
    schema='ops',
    comment='Attempts of workers at jobs of the queue, one row an attempt.'
    )
    op.create_index('job_attempt_job_id_idx', 'job_attempt', ['job_id'], unique=False, schema='ops')
    op.create_table('job_schedule',
    sa.Column('name', sa.Text(), nullable=False, comment='What people call it.'),
    sa.Column('command', sa.Text(), nullable=False, comment='The command as it follows roman-db, in the words of a shell; {season} in it is the number of the season.'),
    sa.Column('is_enabled', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment='Whether workers do it.'),
    sa.Column('every_days', sa.Double(), nullable=True, comment='Days from one time to the next; empty of what follows seasons. [d]'),
    sa.Column('first_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='The first time; later ones are whole periods after it. Empty of what follows seasons.'),
    sa.Column('survey', sa.Text(), nullable=True, comment='Survey after whose seasons it is done; empty of what is done every so many days.'),
    sa.Column('delay_days', sa.Double(), server_default=sa.text('0'), nullable=False, comment='Days from the end of a season to the command. [d]'),
    sa.Column('priority', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='That of its jobs; the highest is begun first.'),
    sa.Column('last_due_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='The last time for which it was put into the queue; empty before the first.'),
    sa.CheckConstraint('(every_days IS NULL) = (survey IS NOT NULL) AND (every_days IS NULL) = (first_at IS NULL)', name=op.f('job_schedule_schedule_rule_check')),
    sa.CheckConstraint('every_days > 0 AND delay_days >= 0', name=op.f('job_schedule_schedule_period_check')),
    sa.PrimaryKeyConstraint('name', name=op.f('job_schedule_pkey')),
    schema='ops',
    comment='Commands that workers put into the queue at their time: every so many days, or after each season of a survey.'
    )
    op.create_table('watched_folder',
    sa.Column('folder', sa.Text(), nullable=False, comment='The folder, as all workers see it.'),
    sa.Column('pattern', sa.Text(), nullable=False, comment='Which of its files, as shells have it; two stars for those of its folders, too.'),
    sa.Column('command', sa.Text(), nullable=False, comment='The command as it follows roman-db; {files} in it are the files.'),
    sa.Column('is_enabled', sa.Boolean(), server_default=sa.text('true'), nullable=False, comment='Whether workers look there.'),
    sa.Column('settle_s', sa.Double(), nullable=False, comment='Seconds that a file must stay as it is before it is loaded. [s]'),
    sa.Column('priority', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='That of its jobs; the highest is begun first.'),
    sa.Column('looked_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When a worker last looked there; empty before the first time.'),
    sa.Column('problem', sa.Text(), nullable=True, comment='Why it could not look; empty where it could.'),
    sa.CheckConstraint('settle_s >= 0', name=op.f('watched_folder_settle_check')),
    sa.PrimaryKeyConstraint('folder', name=op.f('watched_folder_pkey')),
    schema='ops',
    comment='Folders in which workers look for new files, with the command that loads them.'
    )
    op.create_table('arrived_file',
    sa.Column('path', sa.Text(), nullable=False, comment='Where it is.'),
    sa.Column('folder', sa.Text(), nullable=False, comment='Folder in which it was found.'),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False, comment='Its size. [byte]'),
    sa.Column('modified_at', sa.TIMESTAMP(timezone=True), nullable=False, comment='When it was last modified, as its file system says.'),
    sa.Column('changed_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When a worker first saw it with this size and time.'),
    sa.Column('job_id', sa.BigInteger(), nullable=True, comment='Job in the queue that loads it; empty as long as it is not settled.'),
    sa.ForeignKeyConstraint(['folder'], ['ops.watched_folder.folder'], name=op.f('arrived_file_folder_fkey')),
    sa.PrimaryKeyConstraint('path', name=op.f('arrived_file_pkey')),
    schema='ops',
    comment='Files that workers saw in watched folders, one row a path.'
    )
    op.create_index('arrived_file_folder_idx', 'arrived_file', ['folder'], unique=False, schema='ops')
    op.create_table('alert',
    sa.Column('alert_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the alert.'),
    sa.Column('kind', sa.Text(), nullable=False, comment='job_failed, job_waits, folder_unreadable or run_failed.'),
    sa.Column('subject', sa.Text(), nullable=False, comment='What it is about: the number of a job or run, or a folder.'),
    sa.Column('message', sa.Text(), nullable=False, comment='What is the matter, and what to do.'),
    sa.Column('raised_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When it was raised.'),
    sa.Column('cleared_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When it held no longer; empty while it does.'),
    sa.Column('sent_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When it was sent to the webhook; empty where that is still to do, or there is none.'),
    sa.CheckConstraint("kind IN ('job_failed', 'job_waits', 'folder_unreadable', 'run_failed')", name=op.f('alert_kind_known_check')),
    sa.PrimaryKeyConstraint('alert_id', name=op.f('alert_pkey')),
    schema='ops',
    comment='What somebody has to look into: raised by workers once, and cleared when it holds no longer.'
    )
    op.create_index('alert_kind_subject_idx', 'alert', ['kind', 'subject'], unique=False, schema='ops')


def downgrade() -> None:
    """Forget the jobs."""
    op.drop_table('alert', schema='ops')
    op.drop_table('arrived_file', schema='ops')
    op.drop_table('watched_folder', schema='ops')
    op.drop_table('job_schedule', schema='ops')
    op.drop_table('job_attempt', schema='ops')
    op.execute("DROP SCHEMA queue CASCADE")
