"""Quotas of a day and areas.

Revision: 0047, after 0046, 2026-11-27 17:05:18.186099
"""

import sqlalchemy as sa
from alembic import op

revision = '0047'
down_revision = '0046'
branch_labels = None
depends_on = None

_SUMS = ('day_rows', 'day_seconds', 'job_bytes')
_RESOURCES = ('rows', 'seconds_sync', 'seconds_async', 'concurrent', 'scratch_bytes', 'upload_bytes', 'sky_area')
_KINDS = ('sync', 'async', 'scratch', 'upload')


def upgrade() -> None:
    """Move the database forward."""
    op.add_column('account_tier', sa.Column('day_rows', sa.BigInteger(), nullable=True, comment='Most rows of all answers of a day (UTC).'), schema='ops')
    op.add_column('account_tier', sa.Column('day_seconds', sa.Double(), nullable=True, comment='Longest time that all queries of a day (UTC) may hold their places. [s]'), schema='ops')
    op.add_column('account_tier', sa.Column('job_bytes', sa.BigInteger(), nullable=True, comment='Most bytes of the results of jobs that are kept at the same time. [byte]'), schema='ops')
    op.execute(
        "UPDATE ops.account_tier SET day_rows = 20 * rows, day_seconds = 24 * seconds_async, "
        "job_bytes = greatest(scratch_bytes, 1000000000)"
    )
    for name in _SUMS:
        op.alter_column('account_tier', name, nullable=False, schema='ops')
    op.create_check_constraint(
        op.f('account_tier_sums_check'),
        'account_tier',
        'day_rows > 0 AND day_seconds > 0 AND job_bytes >= 0',
        schema='ops',
    )
    op.alter_column('account_tier', 'sky_area',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               comment='Largest area of the sky that one request may process, or of which an answer may tell. [deg2]',
               existing_comment='Largest area of the sky that one request may process. [deg2]',
               existing_nullable=False,
               schema='ops')
    op.add_column('account_usage', sa.Column('sky_area', sa.Double(), nullable=True, comment='Area of the sky of which the answer told; empty where that is not known. [deg2]'), schema='ops')
    op.alter_column('account_usage', 'kind',
               existing_type=sa.TEXT(),
               comment='sync (a query whose answer was waited for), async (a job), scratch (into a scratch table), upload, service (an answer of a service beside TAP) or portal (data of its pages).',
               existing_comment='sync (the answer was waited for), async (a job), scratch (into a scratch table) or upload.',
               existing_nullable=False,
               schema='ops')
    op.add_column('job', sa.Column('party', sa.Text(), nullable=True, comment='With whom it shares places and room for results: the account, its team in its tier, or the digest of an address from which somebody asked who did not sign in. Empty for jobs of earlier releases.'), schema='uws')
    op.create_index('job_party_idx', 'job', ['party', 'start_time'], unique=False, schema='uws')
    op.create_check_constraint(op.f('account_usage_sky_area_check'), 'account_usage', 'sky_area >= 0', schema='ops')
    _check('account_usage', 'kind', (*_KINDS, 'service', 'portal'))
    _check('resource_request', 'resource', _RESOURCES + _SUMS)


def downgrade() -> None:
    """Forget them, with the entries of services beside TAP and requests for what there was not."""
    op.execute("DELETE FROM ops.account_usage WHERE kind IN ('service', 'portal')")
    op.execute("DELETE FROM ops.resource_request WHERE resource IN ('day_rows', 'day_seconds', 'job_bytes')")
    _check('account_usage', 'kind', _KINDS)
    _check('resource_request', 'resource', _RESOURCES)
    op.drop_index('job_party_idx', table_name='job', schema='uws')
    op.drop_column('job', 'party', schema='uws')
    op.drop_column('account_usage', 'sky_area', schema='ops')
    for name in _SUMS:
        op.drop_column('account_tier', name, schema='ops')


def _check(table: str, column: str, words: tuple[str, ...]) -> None:
    """Have a column hold one of some words."""
    name = op.f(f'{table}_{column}_check')
    op.drop_constraint(name, table, schema='ops')
    listed = ', '.join(f"'{word}'" for word in words)
    op.create_check_constraint(name, table, f'{column} IN ({listed})', schema='ops')
