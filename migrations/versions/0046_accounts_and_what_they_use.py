"""Accounts: their tiers, teams, tokens, requests, and what they use.

Revision: 0046, after 0045, 2026-11-27 13:46:12.428865
"""

import sqlalchemy as sa
from alembic import op

revision = '0046'
down_revision = '0045'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; the tiers and the account of those who do not sign in come with the release."""
    op.create_table('account_tier',
    sa.Column('tier', sa.Text(), nullable=False, comment='Name of the tier; its role in PostgreSQL is roman_tier_ and this name.'),
    sa.Column('description', sa.Text(), nullable=False, comment='Whom the tier is for.'),
    sa.Column('n_planned', sa.Integer(), nullable=True, comment='Accounts that the tier is planned for; empty where they are not counted.'),
    sa.Column('rows', sa.BigInteger(), nullable=False, comment='Most rows of the answer to a query.'),
    sa.Column('seconds_sync', sa.Double(), nullable=False, comment='Longest time that a query may take whose answer is waited for. [s]'),
    sa.Column('seconds_async', sa.Double(), nullable=False, comment='Longest time that a query may take as a job. [s]'),
    sa.Column('concurrent', sa.Integer(), nullable=False, comment='Most queries that run at the same time; further ones wait.'),
    sa.Column('scratch_bytes', sa.BigInteger(), nullable=False, comment='Most bytes of scratch tables. [byte]'),
    sa.Column('upload_bytes', sa.BigInteger(), nullable=False, comment='Most bytes of one upload. [byte]'),
    sa.Column('sky_area', sa.Double(), nullable=False, comment='Largest area of the sky that one request may process. [deg2]'),
    sa.Column('renewal_days', sa.Integer(), nullable=True, comment='Days until an account has to be renewed; empty where it never has to. [d]'),
    sa.Column('is_shared', sa.Boolean(), nullable=False, comment='Whether the accounts of a team share these limits; otherwise each account has them for itself.'),
    sa.Column('work_bytes', sa.BigInteger(), nullable=False, comment='Memory of one sort or hash table of a query (work_mem). [byte]'),
    sa.Column('temp_bytes', sa.BigInteger(), nullable=False, comment='Most bytes of temporary files of a session (temp_file_limit). [byte]'),
    sa.Column('n_connection', sa.Integer(), nullable=False, comment='Most sessions that are logged in in the role of the tier (CONNECTION LIMIT).'),
    sa.CheckConstraint("tier ~ '^[a-z][a-z_]{0,30}$'", name=op.f('account_tier_tier_form_check')),
    sa.CheckConstraint('rows > 0 AND seconds_sync > 0 AND seconds_async > 0 AND concurrent > 0 AND scratch_bytes >= 0 AND upload_bytes >= 0 AND sky_area >= 0 AND renewal_days > 0 AND work_bytes >= 65536 AND temp_bytes >= 0 AND n_connection > 0', name=op.f('account_tier_limits_check')),
    sa.PrimaryKeyConstraint('tier', name=op.f('account_tier_pkey')),
    schema='ops',
    comment='Tiers of accounts, one row a tier: what each of its accounts may use. Exceptions are rows of resource_request.'
    )
    op.create_table('team',
    sa.Column('team_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the team.'),
    sa.Column('name', sa.Text(), nullable=False, comment='Name of the team.'),
    sa.Column('purpose', sa.Text(), nullable=False, comment='What the team works on.'),
    sa.Column('shares_scratch', sa.Boolean(), server_default=sa.text('true'), nullable=False, comment='Whether each member may read the scratch tables of the others.'),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When the team was made.'),
    sa.CheckConstraint("name ~ '^[a-z][a-z0-9_-]{1,62}$'", name=op.f('team_team_form_check')),
    sa.PrimaryKeyConstraint('team_id', name=op.f('team_pkey')),
    sa.UniqueConstraint('name', name=op.f('team_name_key')),
    schema='ops',
    comment='Teams of accounts: who shares limits and scratch tables.'
    )
    op.create_table('account',
    sa.Column('account_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the account.'),
    sa.Column('name', sa.Text(), nullable=False, comment='Name with which the account signs in; its scratch tables are in the schema mydb_ and this name.'),
    sa.Column('full_name', sa.Text(), nullable=True, comment='Name of the person.'),
    sa.Column('email', sa.Text(), nullable=True, comment='Address of the person; empty of account 0 alone.'),
    sa.Column('tier', sa.Text(), nullable=False, comment='Tier of the account.'),
    sa.Column('team_id', sa.BigInteger(), nullable=True, comment='Team of the account; empty where it is in none.'),
    sa.Column('state', sa.Text(), server_default=sa.text("'active'"), nullable=False, comment='active, suspended (signs in no more until it is renewed) or closed.'),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When the account was made.'),
    sa.Column('renewed_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When the account was renewed last, or made.'),
    sa.Column('expires_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When the account is to be renewed; it runs no queries after that. Empty where it never has to be.'),
    sa.CheckConstraint("CASE WHEN account_id = 0 THEN email IS NULL ELSE email IS NOT NULL AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$' END", name=op.f('account_email_form_check')),
    sa.CheckConstraint("name ~ '^[a-z][a-z0-9_]{1,30}$'", name=op.f('account_name_form_check')),
    sa.CheckConstraint("state IN ('active', 'suspended', 'closed')", name=op.f('account_account_state_check')),
    sa.CheckConstraint('expires_at > renewed_at', name=op.f('account_renewal_check')),
    sa.ForeignKeyConstraint(['team_id'], ['ops.team.team_id'], name=op.f('account_team_id_fkey')),
    sa.ForeignKeyConstraint(['tier'], ['ops.account_tier.tier'], name=op.f('account_tier_fkey')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('account_pkey')),
    sa.UniqueConstraint('email', name=op.f('account_email_key')),
    sa.UniqueConstraint('name', name=op.f('account_name_key')),
    schema='ops',
    comment='Accounts of people who query the database. Account 0 is everybody who does not sign in.'
    )
    op.create_index('account_expires_at_idx', 'account', ['expires_at'], unique=False, schema='ops')
    op.create_index('account_team_idx', 'account', ['team_id'], unique=False, schema='ops')
    op.create_index('account_tier_idx', 'account', ['tier'], unique=False, schema='ops')
    op.create_table('account_token',
    sa.Column('token_id', sa.Text(), nullable=False, comment='Public part of the token, by which it is found.'),
    sa.Column('account_id', sa.BigInteger(), nullable=False, comment='Account that the token signs in.'),
    sa.Column('digest', sa.LargeBinary(), nullable=False, comment='SHA-256 of the secret part, which has 256 random bits.'),
    sa.Column('description', sa.Text(), nullable=False, comment='What the token is for.'),
    sa.Column('scopes', sa.Text(), nullable=False, comment='What the token may be used for: words of query, scratch, account and notebook with a space between.'),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When the token was made.'),
    sa.Column('expires_at', sa.TIMESTAMP(timezone=True), nullable=False, comment='When the token ends.'),
    sa.Column('revoked_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When the token was revoked; empty where it was not.'),
    sa.Column('last_used_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When the token was used last, to the hour; empty where it never was.'),
    sa.CheckConstraint("scopes ~ '^(query|scratch|account|notebook)( (query|scratch|account|notebook))*$'", name=op.f('account_token_scopes_check')),
    sa.CheckConstraint('expires_at > created_at', name=op.f('account_token_times_check')),
    sa.CheckConstraint('octet_length(digest) = 32', name=op.f('account_token_digest_length_check')),
    sa.ForeignKeyConstraint(['account_id'], ['ops.account.account_id'], name=op.f('account_token_account_id_fkey')),
    sa.PrimaryKeyConstraint('token_id', name=op.f('account_token_pkey')),
    schema='ops',
    comment='Tokens with which accounts sign in. The secret itself is not stored: its SHA-256 is.'
    )
    op.create_index('account_token_account_idx', 'account_token', ['account_id'], unique=False, schema='ops')
    op.create_table('account_usage',
    sa.Column('account_usage_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the entry.'),
    sa.Column('account_id', sa.BigInteger(), nullable=False, comment='Account that asked.'),
    sa.Column('kind', sa.Text(), nullable=False, comment='sync (the answer was waited for), async (a job), scratch (into a scratch table) or upload.'),
    sa.Column('outcome', sa.Text(), nullable=False, comment='done, failed, or cancelled (by whoever asked).'),
    sa.Column('queued_at', sa.TIMESTAMP(timezone=True), nullable=False, comment='When it was asked.'),
    sa.Column('started_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When it began to run; empty where it was given up while it waited.'),
    sa.Column('finished_at', sa.TIMESTAMP(timezone=True), nullable=False, comment='When it ended.'),
    sa.Column('seconds', sa.Double(), nullable=False, comment='Time for which it held a place among the queries that run; 0 where it never ran. [s]'),
    sa.Column('n_row', sa.BigInteger(), nullable=False, comment='Rows that were given or stored.'),
    sa.Column('n_byte', sa.BigInteger(), nullable=False, comment='Bytes that were sent or stored. [byte]'),
    sa.CheckConstraint("kind IN ('sync', 'async', 'scratch', 'upload')", name=op.f('account_usage_kind_check')),
    sa.CheckConstraint("outcome IN ('done', 'failed', 'cancelled')", name=op.f('account_usage_outcome_check')),
    sa.CheckConstraint('seconds >= 0 AND n_row >= 0 AND n_byte >= 0 AND queued_at <= finished_at', name=op.f('account_usage_counts_check')),
    sa.ForeignKeyConstraint(['account_id'], ['ops.account.account_id'], name=op.f('account_usage_account_id_fkey')),
    sa.PrimaryKeyConstraint('account_usage_id', name=op.f('account_usage_pkey')),
    schema='ops',
    comment='Ledger of what accounts used, one row a query, written when it has ended, in whatever way.'
    )
    op.create_index('account_usage_account_idx', 'account_usage', ['account_id', 'finished_at'], unique=False, schema='ops')
    op.create_index('account_usage_finished_idx', 'account_usage', ['finished_at'], unique=False, schema='ops')
    op.create_table('resource_request',
    sa.Column('resource_request_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the request.'),
    sa.Column('account_id', sa.BigInteger(), nullable=False, comment='Account that asks.'),
    sa.Column('resource', sa.Text(), nullable=False, comment='Limit that is asked to be higher, a column of account_tier.'),
    sa.Column('amount', sa.Double(), nullable=False, comment='What is asked for, in the unit of that column.'),
    sa.Column('reason', sa.Text(), nullable=False, comment='What it is needed for.'),
    sa.Column('asked_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When it was asked.'),
    sa.Column('decision', sa.Text(), nullable=True, comment='approved or refused; empty where it is not decided.'),
    sa.Column('granted', sa.Double(), nullable=True, comment='What was granted, in the unit of that column; empty where nothing was.'),
    sa.Column('decided_by', sa.Text(), nullable=True, comment='Who decided.'),
    sa.Column('decided_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When it was decided.'),
    sa.Column('remark', sa.Text(), nullable=True, comment='What the account is told of the decision.'),
    sa.Column('expires_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='Until when it is granted; empty where nothing was.'),
    sa.CheckConstraint("(granted IS NOT NULL) = (decision IS NOT DISTINCT FROM 'approved') AND (granted IS NULL) = (expires_at IS NULL)", name=op.f('resource_request_granted_check')),
    sa.CheckConstraint("decision IN ('approved', 'refused')", name=op.f('resource_request_decision_check')),
    sa.CheckConstraint("resource IN ('rows', 'seconds_sync', 'seconds_async', 'concurrent', 'scratch_bytes', 'upload_bytes', 'sky_area')", name=op.f('resource_request_resource_check')),
    sa.CheckConstraint('(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)', name=op.f('resource_request_decided_check')),
    sa.CheckConstraint('amount > 0 AND amount < 1e18 AND granted > 0 AND granted < 1e18', name=op.f('resource_request_amount_check')),
    sa.ForeignKeyConstraint(['account_id'], ['ops.account.account_id'], name=op.f('resource_request_account_id_fkey')),
    sa.PrimaryKeyConstraint('resource_request_id', name=op.f('resource_request_pkey')),
    schema='ops',
    comment='Requests of accounts for more of one resource than their tier has, with what became of them.'
    )
    op.create_index('resource_request_account_idx', 'resource_request', ['account_id'], unique=False, schema='ops')


def downgrade() -> None:
    """Forget them; scratch schemas and roles stay."""
    for name in ('resource_request', 'account_usage', 'account_token', 'account', 'team', 'account_tier'):
        op.drop_table(name, schema='ops')
