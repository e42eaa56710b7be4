"""What addresses have used of a day, and how many jobs may wait to be started.

Revision: 0051, after 0050
"""

import sqlalchemy as sa
from alembic import op

revision = '0051'
down_revision = '0050'
branch_labels = None
depends_on = None

_RESOURCES = (
    'rows', 'seconds_sync', 'seconds_async', 'concurrent', 'scratch_bytes', 'upload_bytes', 'sky_area', 'day_rows',
    'day_seconds', 'job_bytes',
)


def upgrade() -> None:
    """Make the tables, draw the key of addresses, and give each tier its number of jobs."""
    op.create_table('address_usage',
    sa.Column('day_start', sa.TIMESTAMP(timezone=True), nullable=False, comment='Beginning of the day.'),
    sa.Column('client', sa.Text(), nullable=False, comment='Digest of the address under the key in ops.service_key; the address itself is not stored.'),
    sa.Column('n_row', sa.BigInteger(), nullable=False, comment='Rows of all answers.'),
    sa.Column('seconds', sa.Double(), nullable=False, comment='Time for which its queries held places. [s]'),
    sa.CheckConstraint('n_row >= 0 AND seconds >= 0', name=op.f('address_usage_used_check')),
    sa.PrimaryKeyConstraint('day_start', 'client', name=op.f('address_usage_pkey')),
    schema='ops',
    comment='What addresses from which somebody asks without signing in have used of a day (UTC); rows of earlier days are dropped.'
    )
    op.create_table('service_key',
    sa.Column('purpose', sa.Text(), nullable=False, comment='What it is for: address (digests of addresses from which somebody asks without signing in).'),
    sa.Column('secret', sa.Text(), nullable=False, comment='The secret, as text.'),
    sa.PrimaryKeyConstraint('purpose', name=op.f('service_key_pkey')),
    schema='ops',
    comment='Secrets that all services on a database share; drawn at random when the table is made, and read by the role roman_accounts alone.'
    )
    op.execute(
        "INSERT INTO ops.service_key (purpose, secret) "
        "VALUES ('address', gen_random_uuid()::text || gen_random_uuid()::text)"
    )
    op.add_column('account_tier', sa.Column('pending_jobs', sa.Integer(), nullable=True, comment='Most jobs that were made and not started (PENDING) at the same time.'), schema='ops')
    op.execute("UPDATE ops.account_tier SET pending_jobs = least(1000, 20 * concurrent)")
    op.alter_column('account_tier', 'pending_jobs', nullable=False, schema='ops')
    _check('account_tier', 'sums', 'day_rows > 0 AND day_seconds > 0 AND job_bytes >= 0 AND pending_jobs >= 0')
    _check('resource_request', 'resource', _one_of((*_RESOURCES, 'pending_jobs')))


def downgrade() -> None:
    """Forget them, with requests for what there was not."""
    op.execute("DELETE FROM ops.resource_request WHERE resource = 'pending_jobs'")
    _check('resource_request', 'resource', _one_of(_RESOURCES))
    _check('account_tier', 'sums', 'day_rows > 0 AND day_seconds > 0 AND job_bytes >= 0')
    op.drop_column('account_tier', 'pending_jobs', schema='ops')
    op.drop_table('service_key', schema='ops')
    op.drop_table('address_usage', schema='ops')


def _check(table: str, name: str, expression: str) -> None:
    """Have a constraint of a table say something else."""
    whole = op.f(f'{table}_{name}_check')
    op.drop_constraint(whole, table, schema='ops')
    op.create_check_constraint(whole, table, expression, schema='ops')


def _one_of(words: tuple[str, ...]) -> str:
    """Condition that a resource is one of some."""
    return 'resource IN (' + ', '.join(f"'{word}'" for word in words) + ')'
