"""Deliveries to the archive, what is announced to us, and data releases.

Revision: 0053, after 0052
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0053'
down_revision = '0052'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and let alerts be about deliveries."""
    op.create_table('data_notification',
    sa.Column('data_notification_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the notification.'),
    sa.Column('sender', sa.Text(), autoincrement=False, nullable=False, comment='Who sent it, such as SOC.'),
    sa.Column('received_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), autoincrement=False, nullable=False, comment='When it was read, by the clock of the database.'),
    sa.Column('observed_until', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='End of the last exposure; empty where it does not say.'),
    sa.Column('on_ground_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When the data were at the ground station; empty where it does not say.'),
    sa.Column('at_soc_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When the data were at the Science Operations Center; empty where it does not say.'),
    sa.Column('n_file', sa.Integer(), autoincrement=False, nullable=False, comment='Files that it names.'),
    sa.Column('sha256', sa.Text(), autoincrement=False, nullable=False, comment='SHA-256 checksum of the notification, which is read once.'),
    sa.PrimaryKeyConstraint('data_notification_id', name=op.f('data_notification_pkey')),
    sa.UniqueConstraint('sha256', name=op.f('data_notification_sha256_key')),
    schema='ops',
    comment='Notifications that data are available for us, one row a notification.'
    )
    op.create_table('delivery_rule',
    sa.Column('rule', sa.Text(), autoincrement=False, nullable=False, comment='What people call it.'),
    sa.Column('span', sa.Text(), autoincrement=False, nullable=False, comment='Of what there is a delivery each: day, eight_days, season or survey; transmission for a leg of the way of the data to us.'),
    sa.Column('task', sa.Text(), autoincrement=False, nullable=True, comment='The command, after roman-db, that makes the data ready; empty where none does.'),
    sa.Column('complete_within', postgresql.INTERVAL(), autoincrement=False, nullable=True, comment='Within which time the data are to be ready, or the goal where the requirement is another; empty without one.'),
    sa.Column('deliver_within', postgresql.INTERVAL(), autoincrement=False, nullable=False, comment='Within which time after the last input was received the archive is to have the data; of a leg, how long it may take.'),
    sa.Column('hold', postgresql.INTERVAL(), autoincrement=False, nullable=True, comment='From the beginning of the first season of a survey, the time in which nothing is due and nothing delivered; what was received until then is due after it as if received at its end. Empty for none.'),
    sa.Column('description', sa.Text(), autoincrement=False, nullable=False, comment='What it says, and where it comes from.'),
    sa.CheckConstraint("deliver_within > interval '0' AND complete_within > interval '0'", name=op.f('delivery_rule_rule_times_check')),
    sa.CheckConstraint("span IN ('day', 'eight_days', 'season', 'survey', 'transmission')", name=op.f('delivery_rule_span_known_check')),
    sa.PrimaryKeyConstraint('rule', name=op.f('delivery_rule_pkey')),
    schema='ops',
    comment='Which data are to be ready and delivered within which time; how long their way to us may take.'
    )
    op.create_table('data_release',
    sa.Column('data_release', sa.Text(), autoincrement=False, nullable=False, comment='Name, and the schema of its tables, such as dr1.'),
    sa.Column('survey', sa.Text(), autoincrement=False, nullable=False, comment='Survey layout.'),
    sa.Column('season', sa.SmallInteger(), autoincrement=False, nullable=False, comment='Season; 0 for all.'),
    sa.Column('frozen_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), autoincrement=False, nullable=False, comment='The moment whose state it holds.'),
    sa.Column('calibration', sa.Text(), autoincrement=False, nullable=False, comment='Versions with which all of its exposures were calibrated, and with which its photometry was made.'),
    sa.Column('note', sa.Text(), autoincrement=False, nullable=True, comment='Why it was frozen though not all was consistent; empty where all was.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that made it.'),
    sa.CheckConstraint("data_release ~ '^dr[1-9][0-9]{0,3}$'", name=op.f('data_release_data_release_name_check')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('data_release_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('data_release', name=op.f('data_release_pkey')),
    schema='ops',
    comment='Data releases: frozen versions that are queried by their names.'
    )
    op.create_table('delivery',
    sa.Column('delivery_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the delivery.'),
    sa.Column('name', sa.Text(), autoincrement=False, nullable=False, comment='Name of its folder.'),
    sa.Column('rule', sa.Text(), autoincrement=False, nullable=False, comment='Rule by which it is due.'),
    sa.Column('survey', sa.Text(), autoincrement=False, nullable=False, comment='Survey layout.'),
    sa.Column('season', sa.SmallInteger(), autoincrement=False, nullable=False, comment='Season; 0 for the whole survey.'),
    sa.Column('start_mjd', sa.Integer(), autoincrement=False, nullable=False, comment='First day, MJD TDB. [d]'),
    sa.Column('end_mjd', sa.Integer(), autoincrement=False, nullable=False, comment='First day after, MJD TDB. [d]'),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False, comment='1, and one more each time that the same days are delivered again.'),
    sa.Column('state', sa.Text(), server_default=sa.text("'making'"), autoincrement=False, nullable=False, comment='making; made (and verified); published; accepted or rejected by the archive; refused, where a product is not valid; failed, where it could not be made.'),
    sa.Column('message', sa.Text(), autoincrement=False, nullable=True, comment='Why it was refused, failed or rejected, or what the archive said.'),
    sa.Column('is_partial', sa.Boolean(), autoincrement=False, nullable=False, comment='Whether exposures of its days were in no light curve when it was made, which somebody has allowed.'),
    sa.Column('n_file', sa.Integer(), autoincrement=False, nullable=True, comment='Files; empty before it is made.'),
    sa.Column('size_bytes', sa.BigInteger(), autoincrement=False, nullable=True, comment='Size of all files; empty before it is made. [byte]'),
    sa.Column('manifest_sha256', sa.Text(), autoincrement=False, nullable=True, comment='SHA-256 checksum of its manifest; empty before it is made.'),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), autoincrement=False, nullable=False, comment='When its making began: what was received later is not in it.'),
    sa.Column('published_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When the archive could see it; empty before.'),
    sa.Column('answered_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When the answer of the archive was read; empty before.'),
    sa.Column('superseded_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When a later version was published in its place; empty while it is current.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that made it.'),
    sa.CheckConstraint("(state IN ('accepted', 'rejected')) = (answered_at IS NOT NULL)", name=op.f('delivery_delivery_answered_check')),
    sa.CheckConstraint("(state IN ('published', 'accepted', 'rejected')) = (published_at IS NOT NULL)", name=op.f('delivery_delivery_published_check')),
    sa.CheckConstraint("state IN ('making', 'made', 'published', 'accepted', 'rejected', 'refused', 'failed')", name=op.f('delivery_delivery_state_check')),
    sa.CheckConstraint("state IN ('making', 'refused', 'failed') OR n_file > 0 AND size_bytes IS NOT NULL AND manifest_sha256 IS NOT NULL", name=op.f('delivery_delivery_made_check')),
    sa.CheckConstraint("state NOT IN ('rejected', 'refused', 'failed') OR message IS NOT NULL", name=op.f('delivery_delivery_why_check')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('delivery_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['rule'], ['ops.delivery_rule.rule'], name=op.f('delivery_rule_fkey')),
    sa.PrimaryKeyConstraint('delivery_id', name=op.f('delivery_pkey')),
    sa.UniqueConstraint('name', name=op.f('delivery_name_key')),
    schema='ops',
    comment='Deliveries to the archive, one row a version: what it is of, how far it is, and why not farther.'
    )
    op.create_index('delivery_span_idx', 'delivery', ['rule', 'survey', 'season', 'start_mjd'], unique=False, schema='ops')
    op.create_table('delivery_content',
    sa.Column('rule', sa.Text(), autoincrement=False, nullable=False, comment='Rule of the deliveries.'),
    sa.Column('product', sa.Text(), autoincrement=False, nullable=False, comment='Product by its name in roman-db export product.'),
    sa.Column('is_required', sa.Boolean(), autoincrement=False, nullable=False, comment='Whether a delivery without it is refused; others are left out where there is nothing of them.'),
    sa.ForeignKeyConstraint(['rule'], ['ops.delivery_rule.rule'], name=op.f('delivery_content_rule_fkey')),
    sa.PrimaryKeyConstraint('rule', 'product', name=op.f('delivery_content_pkey')),
    schema='ops',
    comment='Products of which the deliveries of a rule are.'
    )
    op.create_table('notified_file',
    sa.Column('data_notification_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Notification.'),
    sa.Column('filename', sa.Text(), autoincrement=False, nullable=False, comment='Name of the file without a folder.'),
    sa.Column('sha256', sa.Text(), autoincrement=False, nullable=False, comment='SHA-256 checksum that it is to have.'),
    sa.Column('size_bytes', sa.BigInteger(), autoincrement=False, nullable=False, comment='Size that it is to have. [byte]'),
    sa.CheckConstraint("size_bytes > 0 AND sha256 ~ '^[0-9a-f]{64}$'", name=op.f('notified_file_notified_file_values_check')),
    sa.ForeignKeyConstraint(['data_notification_id'], ['ops.data_notification.data_notification_id'], name=op.f('notified_file_data_notification_id_fkey')),
    sa.PrimaryKeyConstraint('data_notification_id', 'filename', name=op.f('notified_file_pkey')),
    schema='ops',
    comment='Files that notifications named.'
    )
    op.create_index('notified_file_filename_idx', 'notified_file', ['filename'], unique=False, schema='ops')
    op.create_table('product',
    sa.Column('product_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the file.'),
    sa.Column('product', sa.Text(), autoincrement=False, nullable=False, comment='Product by its name in roman-db export product.'),
    sa.Column('scope', sa.Text(), autoincrement=False, nullable=False, comment='Part of the survey that it describes: season, and field, detector, optical element, period of eight days and medium as far as it has them.'),
    sa.Column('filename', sa.Text(), autoincrement=False, nullable=True, comment='Name; empty where there is no file.'),
    sa.Column('sha256', sa.Text(), autoincrement=False, nullable=True, comment='SHA-256 checksum of the whole file; empty where there is none.'),
    sa.Column('size_bytes', sa.BigInteger(), autoincrement=False, nullable=True, comment='Size; empty where there is no file. [byte]'),
    sa.Column('n_row', sa.BigInteger(), autoincrement=False, nullable=True, comment='Rows; empty of images.'),
    sa.Column('state', sa.Text(), autoincrement=False, nullable=False, comment='valid, or refused where it is not what the archive takes.'),
    sa.Column('problem', sa.Text(), autoincrement=False, nullable=True, comment='Why it was refused; empty for valid ones.'),
    sa.Column('superseded_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When a later version was published in its place; empty while it is current.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint("state = 'refused' OR filename IS NOT NULL AND sha256 IS NOT NULL AND size_bytes IS NOT NULL", name=op.f('product_product_file_check')),
    sa.CheckConstraint("state IN ('valid', 'refused') AND (state = 'refused') = (problem IS NOT NULL)", name=op.f('product_product_state_check')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('product_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('product_id', name=op.f('product_pkey')),
    schema='ops',
    comment='Files that were made for the archive, and products that were not made since they would not be valid.'
    )
    op.create_table('data_release_column',
    sa.Column('data_release', sa.Text(), autoincrement=False, nullable=False, comment='Release.'),
    sa.Column('table_name', sa.Text(), autoincrement=False, nullable=False, comment='Table or view without its schema.'),
    sa.Column('column_name', sa.Text(), autoincrement=False, nullable=False, comment='Column.'),
    sa.Column('column_index', sa.Integer(), autoincrement=False, nullable=False, comment='Place of the column in its table, from 0.'),
    sa.Column('datatype', sa.Text(), autoincrement=False, nullable=False, comment='Datatype in a VOTable.'),
    sa.Column('arraysize', sa.Text(), autoincrement=False, nullable=True, comment='Size of arrays in a VOTable; empty for scalars.'),
    sa.Column('xtype', sa.Text(), autoincrement=False, nullable=True, comment='Extended type in a VOTable.'),
    sa.Column('unit', sa.Text(), autoincrement=False, nullable=True, comment='Unit in VOUnits.'),
    sa.Column('ucd', sa.Text(), autoincrement=False, nullable=True, comment='UCD.'),
    sa.Column('utype', sa.Text(), autoincrement=False, nullable=True, comment='Element of a data model.'),
    sa.Column('description', sa.Text(), autoincrement=False, nullable=True, comment='What it means.'),
    sa.Column('is_indexed', sa.Boolean(), autoincrement=False, nullable=False, comment='Whether rows are found by it.'),
    sa.Column('is_principal', sa.Boolean(), autoincrement=False, nullable=False, comment='Whether it is one of those that most people want.'),
    sa.ForeignKeyConstraint(['data_release'], ['ops.data_release.data_release'], name=op.f('data_release_column_data_release_fkey')),
    sa.PrimaryKeyConstraint('data_release', 'table_name', 'column_name', name=op.f('data_release_column_pkey')),
    schema='ops',
    comment='Columns of data releases as queries name them; what later releases of this software call them does not matter.'
    )
    op.create_table('data_release_table',
    sa.Column('data_release', sa.Text(), autoincrement=False, nullable=False, comment='Release.'),
    sa.Column('table_name', sa.Text(), autoincrement=False, nullable=False, comment='Table or view without its schema.'),
    sa.Column('kind', sa.Text(), autoincrement=False, nullable=False, comment='copied; view of what is copied and shared; shared for light curves, of which there is no second copy.'),
    sa.Column('description', sa.Text(), autoincrement=False, nullable=True, comment='What is in it.'),
    sa.Column('n_row', sa.BigInteger(), autoincrement=False, nullable=True, comment='Rows; empty of views.'),
    sa.Column('digest', sa.Text(), autoincrement=False, nullable=True, comment='Sum over all rows of the first 64 bits of the MD5 checksum of the row as text, each as a signed number; empty of views.'),
    sa.CheckConstraint("kind IN ('copied', 'view', 'shared') AND (kind = 'view') = (digest IS NULL) AND (digest IS NULL) = (n_row IS NULL)", name=op.f('data_release_table_data_release_table_kind_check')),
    sa.ForeignKeyConstraint(['data_release'], ['ops.data_release.data_release'], name=op.f('data_release_table_data_release_fkey')),
    sa.PrimaryKeyConstraint('data_release', 'table_name', name=op.f('data_release_table_pkey')),
    schema='ops',
    comment='What data releases hold: tables and views with how much is in them and its digest.'
    )
    op.create_table('delivery_event',
    sa.Column('delivery_event_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the event.'),
    sa.Column('delivery_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Delivery.'),
    sa.Column('at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), autoincrement=False, nullable=False, comment='When, by the clock of the database.'),
    sa.Column('kind', sa.Text(), autoincrement=False, nullable=False, comment='begun, left_out (there is nothing of a product), made, refused, failed, published, notified (the archive was told), accepted, rejected or superseded.'),
    sa.Column('message', sa.Text(), autoincrement=False, nullable=True, comment='What there is to say.'),
    sa.CheckConstraint("kind IN ('begun', 'left_out', 'made', 'refused', 'failed', 'published', 'notified', 'accepted', 'rejected', 'superseded')", name=op.f('delivery_event_delivery_event_kind_check')),
    sa.ForeignKeyConstraint(['delivery_id'], ['ops.delivery.delivery_id'], name=op.f('delivery_event_delivery_id_fkey')),
    sa.PrimaryKeyConstraint('delivery_event_id', name=op.f('delivery_event_pkey')),
    schema='ops',
    comment='What became of each delivery, in order.'
    )
    op.create_index('delivery_event_delivery_idx', 'delivery_event', ['delivery_id'], unique=False, schema='ops')
    op.create_table('delivery_file',
    sa.Column('delivery_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Delivery.'),
    sa.Column('product_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='File, or the product that was refused.'),
    sa.Column('is_accepted', sa.Boolean(), autoincrement=False, nullable=True, comment='Whether the archive took it; empty before its answer.'),
    sa.Column('archive_identifier', sa.Text(), autoincrement=False, nullable=True, comment='What the archive calls it; empty where it did not say.'),
    sa.Column('message', sa.Text(), autoincrement=False, nullable=True, comment='What the archive said of it; empty where it said nothing.'),
    sa.ForeignKeyConstraint(['delivery_id'], ['ops.delivery.delivery_id'], name=op.f('delivery_file_delivery_id_fkey')),
    sa.ForeignKeyConstraint(['product_id'], ['ops.product.product_id'], name=op.f('delivery_file_product_id_fkey')),
    sa.PrimaryKeyConstraint('delivery_id', 'product_id', name=op.f('delivery_file_pkey')),
    schema='ops',
    comment='Files of a delivery, and what the archive said of each.'
    )
    op.create_index('delivery_file_product_idx', 'delivery_file', ['product_id'], unique=False, schema='ops')
    op.create_table('delivery_input',
    sa.Column('delivery_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Delivery.'),
    sa.Column('file_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='File, with its checksum in ops.input_file.'),
    sa.ForeignKeyConstraint(['delivery_id'], ['ops.delivery.delivery_id'], name=op.f('delivery_input_delivery_id_fkey')),
    sa.ForeignKeyConstraint(['file_id'], ['ops.input_file.file_id'], name=op.f('delivery_input_file_id_fkey')),
    sa.PrimaryKeyConstraint('delivery_id', 'file_id', name=op.f('delivery_input_pkey')),
    schema='ops',
    comment='Files of exposures of which a delivery was made.'
    )
    op.create_index('delivery_input_file_idx', 'delivery_input', ['file_id'], unique=False, schema='ops')
    op.create_table('data_release_block',
    sa.Column('data_release', sa.Text(), autoincrement=False, nullable=False, comment='Release.'),
    sa.Column('block_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Block, current when the release was frozen.'),
    sa.ForeignKeyConstraint(['block_id'], ['roman.light_curve_block.block_id'], name=op.f('data_release_block_block_id_fkey')),
    sa.ForeignKeyConstraint(['data_release'], ['ops.data_release.data_release'], name=op.f('data_release_block_data_release_fkey')),
    sa.PrimaryKeyConstraint('data_release', 'block_id', name=op.f('data_release_block_pkey')),
    schema='ops',
    comment='Blocks of light curves that data releases hold; what a release holds is not dropped.'
    )
    op.create_index('data_release_block_block_idx', 'data_release_block', ['block_id'], unique=False, schema='ops')
    op.alter_column('alert', 'kind',
               existing_type=sa.TEXT(),
               comment='job_failed, job_waits, folder_unreadable, run_failed, delivery_late, delivery_failed or input_missing.',
               existing_comment='job_failed, job_waits, folder_unreadable or run_failed.',
               existing_nullable=False,
               schema='ops')
    op.alter_column('alert', 'subject',
               existing_type=sa.TEXT(),
               comment='What it is about: the number of a job, run or notification, a folder, or a delivery.',
               existing_comment='What it is about: the number of a job or run, or a folder.',
               existing_nullable=False,
               schema='ops')
    op.drop_constraint('alert_kind_known_check', 'alert', schema='ops')
    op.create_check_constraint(op.f('alert_kind_known_check'), 'alert', "kind IN ('job_failed', 'job_waits', 'folder_unreadable', 'run_failed', 'delivery_late', 'delivery_failed', 'input_missing')", schema='ops')


def downgrade() -> None:
    """Forget them, with the data releases and the alerts about deliveries."""
    op.execute("""
    DO $$
    DECLARE
        name text;
    BEGIN
        FOR name IN SELECT data_release FROM ops.data_release LOOP
            EXECUTE format('DROP SCHEMA %I CASCADE', name);
        END LOOP;
    END
    $$
    """)
    op.execute("DELETE FROM ops.alert WHERE kind IN ('delivery_late', 'delivery_failed', 'input_missing')")
    op.drop_constraint('alert_kind_known_check', 'alert', schema='ops')
    op.create_check_constraint(op.f('alert_kind_known_check'), 'alert', "kind IN ('job_failed', 'job_waits', 'folder_unreadable', 'run_failed')", schema='ops')
    op.alter_column('alert', 'subject',
               existing_type=sa.TEXT(),
               comment='What it is about: the number of a job or run, or a folder.',
               existing_comment='What it is about: the number of a job, run or notification, a folder, or a delivery.',
               existing_nullable=False,
               schema='ops')
    op.alter_column('alert', 'kind',
               existing_type=sa.TEXT(),
               comment='job_failed, job_waits, folder_unreadable or run_failed.',
               existing_comment='job_failed, job_waits, folder_unreadable, run_failed, delivery_late, delivery_failed or input_missing.',
               existing_nullable=False,
               schema='ops')
    op.drop_table('data_release_block', schema='ops')
    op.drop_table('delivery_input', schema='ops')
    op.drop_table('delivery_file', schema='ops')
    op.drop_table('delivery_event', schema='ops')
    op.drop_table('data_release_table', schema='ops')
    op.drop_table('data_release_column', schema='ops')
    op.drop_table('product', schema='ops')
    op.drop_table('notified_file', schema='ops')
    op.drop_table('delivery_content', schema='ops')
    op.drop_table('delivery', schema='ops')
    op.drop_table('data_release', schema='ops')
    op.drop_table('delivery_rule', schema='ops')
    op.drop_table('data_notification', schema='ops')
