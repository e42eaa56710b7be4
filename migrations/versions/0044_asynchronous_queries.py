"""Asynchronous queries: jobs as UWS has them.

Revision: 0044, after 0043, 2026-11-27 14:00:33.432037
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0044'
down_revision = '0043'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the jobs of the TAP service."""
    op.create_table('job',
    sa.Column('job_id', sa.Text(), nullable=False, comment='Identifier of the job, drawn at random, so that who does not know it does not find the job.'),
    sa.Column('account_id', sa.BigInteger(), nullable=True, comment='Account whose job it is; empty for jobs of nobody.'),
    sa.Column('run_id', sa.Text(), nullable=True, comment='What the client calls the job (RUNID).'),
    sa.Column('phase', sa.Text(), nullable=False, comment='PENDING, QUEUED, EXECUTING, COMPLETED, ERROR or ABORTED, as UWS 1.1 has them.'),
    sa.Column('creation_time', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When it was made.'),
    sa.Column('start_time', sa.TIMESTAMP(timezone=True), nullable=True, comment='When its query began, the last time if it began again.'),
    sa.Column('end_time', sa.TIMESTAMP(timezone=True), nullable=True, comment='When it ended, however it did.'),
    sa.Column('destruction', sa.TIMESTAMP(timezone=True), nullable=False, comment='When the job and its result are removed.'),
    sa.Column('execution_duration', sa.Integer(), nullable=False, comment='Seconds that its query may take. [s]'),
    sa.Column('parameters', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='What was asked: a list of pairs of a name and a value.'),
    sa.Column('error', sa.Text(), nullable=True, comment='Why there is no result; empty where there is one, or may be.'),
    sa.Column('media_type', sa.Text(), nullable=True, comment='Format of the result; empty as long as there is none.'),
    sa.Column('result_size', sa.BigInteger(), nullable=True, comment='Bytes of the result; empty as long as there is none. [byte]'),
    sa.Column('worker', sa.Text(), nullable=True, comment='Connection of the service that runs it: process and start. Who is not connected any more has died.'),
    sa.Column('n_start', sa.SmallInteger(), server_default=sa.text('0'), nullable=False, comment='How often its query was begun.'),
    sa.CheckConstraint("(phase = 'COMPLETED') = (media_type IS NOT NULL)", name=op.f('job_result_of_completed_check')),
    sa.CheckConstraint("phase IN ('PENDING', 'QUEUED', 'EXECUTING', 'COMPLETED', 'ERROR', 'ABORTED')", name=op.f('job_phase_known_check')),
    sa.PrimaryKeyConstraint('job_id', name=op.f('job_pkey')),
    schema='uws',
    comment='Asynchronous queries as UWS 1.1 (IVOA) has them; their results are files.'
    )
    op.create_index('job_account_id_idx', 'job', ['account_id', 'creation_time'], unique=False, schema='uws')
    op.create_index('job_destruction_idx', 'job', ['destruction'], unique=False, schema='uws')
    op.create_index('job_phase_idx', 'job', ['phase', 'creation_time'], unique=False, schema='uws')


def downgrade() -> None:
    """Forget the jobs."""
    op.drop_table('job', schema='uws')
