"""Runs are reckoned against what they were given: expected inputs, their files, and units that can be done anywhere."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATE = (
    "running, succeeded, partly_failed (some of its units of work failed, the others are done), failed, or interrupted "
    "for a run whose process is gone."
)
_EXPECTED = (
    "Units of input that the run was given, counted apart from its work: files named, rows that a file says it has, "
    "exposures of the listed units; empty in runs older than this count."
)
_ARGUMENTS = (
    "Arguments of the unit as JSON, with which any worker can do it; empty in attempts older than this column."
)
_INPUTS = (
    "Files that a run was given, with the checksums that they had then: those that it loaded, those that were loaded "
    "before, those that it refused, and those that say how to load."
)


def upgrade() -> None:
    """Add what runs and attempts are reckoned against, and the files that runs were given."""
    _extend_load_run()
    _extend_task_run()
    _create_load_run_input()


def _extend_load_run() -> None:
    """What older runs were given is not known: their count stays empty."""
    expected = sa.Column("n_expected", sa.BigInteger(), comment=_EXPECTED)
    op.add_column("load_run", expected, schema="ops")
    op.drop_constraint("load_run_state_check", "load_run", schema="ops")
    states = "state IN ('running', 'succeeded', 'partly_failed', 'failed', 'interrupted')"
    op.create_check_constraint(op.f("load_run_state_check"), "load_run", states, schema="ops")
    op.create_check_constraint(
        op.f("load_run_all_accounted_for_check"),
        "load_run",
        "state NOT IN ('succeeded', 'partly_failed') OR n_read = n_expected",
        schema="ops",
    )
    comments = {
        "state": _STATE,
        "n_read": "Units of input that are accounted for: loaded or refused.",
        "code_version": "Version of this software, with the commit where it is known.",
        "message": "Why the run failed, or which units did.",
    }
    for column, comment in comments.items():
        op.alter_column("load_run", column, comment=comment, schema="ops")


def _extend_task_run() -> None:
    """Give each attempt the arguments of its unit, and its part of the reckoning."""
    columns = (
        sa.Column("arguments", postgresql.JSONB(), comment=_ARGUMENTS),
        sa.Column(
            "n_expected",
            sa.BigInteger(),
            comment="Inputs of the unit that have to be accounted for; empty in attempts older than this count.",
        ),
        sa.Column(
            "n_read",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Inputs of the unit that are accounted for: loaded or refused.",
        ),
    )
    for column in columns:
        op.add_column("task_run", column, schema="ops")
    op.create_check_constraint(
        op.f("task_run_inputs_accounted_for_check"),
        "task_run",
        "state <> 'succeeded' OR n_read = n_expected",
        schema="ops",
    )
    op.create_index("task_run_load_run_id_idx", "task_run", ["load_run_id"], schema="ops")


def _create_load_run_input() -> None:
    """Make the table of files, and take over those that older runs are known to have loaded."""
    op.create_table(
        "load_run_input",
        sa.Column("load_run_id", sa.BigInteger(), nullable=False, comment="Run that was given the file."),
        sa.Column(
            "role",
            sa.Text(),
            nullable=False,
            comment="What the file was to the run: exposure, catalog, mapping or parameters.",
        ),
        sa.Column("path", sa.Text(), nullable=False, comment="Where the file was."),
        sa.Column(
            "sha256",
            sa.Text(),
            comment="SHA-256 checksum of the whole file; empty where it could not be read.",
        ),
        sa.Column("size_bytes", sa.BigInteger(), comment="Size; empty where the file could not be read. [byte]"),
        sa.Column(
            "file_id", sa.BigInteger(), comment="The file among those that were loaded; empty for others."
        ),
        sa.PrimaryKeyConstraint("load_run_id", "role", "path", name=op.f("load_run_input_pkey")),
        sa.ForeignKeyConstraint(
            ["load_run_id"], ["ops.load_run.load_run_id"], name=op.f("load_run_input_load_run_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["ops.input_file.file_id"], name=op.f("load_run_input_file_id_fkey")
        ),
        schema="ops",
        comment=_INPUTS,
    )
    op.create_index("load_run_input_sha256_idx", "load_run_input", ["sha256"], schema="ops")
    op.execute(
        "INSERT INTO ops.load_run_input (load_run_id, role, path, sha256, size_bytes, file_id) "
        "SELECT DISTINCT ON (load_run_id, kind, path) load_run_id, kind, path, sha256, size_bytes, file_id "
        "FROM ops.input_file ORDER BY load_run_id, kind, path, file_id DESC"
    )
