"""Reference images: the catalogued stars that their frames were laid on."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ERROR = "Standard error of {}. [mas]"
_COLUMNS = (
    (
        "n_anchor",
        sa.Integer(),
        "Catalogued stars of known motion that its frame was laid on; 0 where they were too few, so that the "
        "frame is the mean of the WCSs of its exposures.",
    ),
    (
        "anchor_shift_ra",
        sa.REAL(),
        "How far these moved the middle of the frame in right ascension, times cos(dec); empty without them. "
        "[mas]",
    ),
    ("anchor_shift_dec", sa.REAL(), "The same in declination. [mas]"),
    ("anchor_shift_ra_err", sa.REAL(), _ERROR.format("anchor_shift_ra")),
    ("anchor_shift_dec_err", sa.REAL(), _ERROR.format("anchor_shift_dec")),
    ("anchor_residual", sa.REAL(), "Robust scatter of the stars about the frame along an axis. [mas]"),
)


def upgrade() -> None:
    """Add the columns; no image that there is was laid on stars."""
    for name, kind, comment in _COLUMNS:
        op.add_column("reference_image", sa.Column(name, kind, comment=comment), schema="roman")
    op.execute("UPDATE roman.reference_image SET n_anchor = 0")


def downgrade() -> None:
    """Remove the columns."""
    for name, _, _ in reversed(_COLUMNS):
        op.drop_column("reference_image", name, schema="roman")
