"""Light curves that others measured: blocks without field and detector, and bands of other telescopes."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_CHECKS = {
    ("light_curve_block", "photometry_kind"): "photometry_kind IN ('psf', 'psf_free', 'aperture', 'dia'{})",
    ("optical_element", "kind"): "kind IN ('imaging', 'spectroscopic', 'dark'{})",
}
_OF_DETECTOR = (
    "(photometry_kind = 'external') = (detector IS NULL) AND (photometry_kind = 'external') = (field_id IS NULL)"
)


def upgrade() -> None:
    """Let blocks be without field and detector, if they are external."""
    for column in ("field_id", "detector"):
        op.alter_column("light_curve_block", column, nullable=True, schema="roman")
    _replace_checks(", 'external'")
    op.create_check_constraint(
        op.f("light_curve_block_of_detector_check"), "light_curve_block", _OF_DETECTOR, schema="roman"
    )


def downgrade() -> None:
    """Go back; with external light curves in the database this fails, and changes nothing."""
    op.drop_constraint(op.f("light_curve_block_of_detector_check"), "light_curve_block", schema="roman")
    _replace_checks("")
    for column in ("field_id", "detector"):
        op.alter_column("light_curve_block", column, nullable=False, schema="roman")


def _replace_checks(more: str) -> None:
    """Let kinds be others."""
    for (table, column), condition in _CHECKS.items():
        name = op.f(f"{table}_{column}_check")
        op.drop_constraint(name, table, schema="roman")
        op.create_check_constraint(name, table, condition.format(more), schema="roman")
