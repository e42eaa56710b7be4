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

_COMMENTS = {
    "TABLE roman.optical_element": (
        (
            "Filters and dispersers of the Wide Field Instrument."
        ),
        (
            "Filters and dispersers of the Wide Field Instrument, and bands of other telescopes with "
            "light curves here."
        ),
    ),
    "COLUMN roman.optical_element.optical_element": (
        (
            "Name of the element wheel position, such as F146 or GRISM."
        ),
        (
            "Name of the element wheel position, such as F146 or GRISM, or of a band of another "
            "telescope."
        ),
    ),
    "COLUMN roman.optical_element.kind": (
        (
            "imaging, spectroscopic or dark."
        ),
        (
            "imaging, spectroscopic, dark, or external for a band of light curves that others measured."
        ),
    ),
    "COLUMN roman.light_curve_block.field_id": (
        (
            "Field."
        ),
        (
            "Field; empty for light curves that others measured."
        ),
    ),
    "COLUMN roman.light_curve_block.detector": (
        (
            "Detector."
        ),
        (
            "Detector; empty for light curves that others measured."
        ),
    ),
    "COLUMN roman.light_curve_block.photometry_kind": (
        (
            "psf for PSF photometry of the exposure at the catalogued positions, psf_free where the "
            "positions of bright stars were fitted with the fluxes, aperture for sums in a circle about"
            " the catalogued positions, dia for photometry of its difference from a reference."
        ),
        (
            "psf for PSF photometry of the exposure at the catalogued positions, psf_free where the "
            "positions of bright stars were fitted with the fluxes, aperture for sums in a circle about"
            " the catalogued positions, dia for photometry of its difference from a reference, external"
            " for light curves that others measured."
        ),
    ),
    "COLUMN roman.light_curve_block.start_mjd": (
        (
            "First day of the block, MJD TDB; where all of its exposures are of later days of a sealed "
            "season, the last day of the partition that holds the season. Times of exposures are in "
            "midpoint_mjd_tdb. [d]"
        ),
        (
            "First day of the block, MJD TDB; where all of its exposures are of later days of a sealed "
            "season, the last day of the partition that holds the season; of external light curves the "
            "last multiple of 368 days before, so that few partitions hold them. Times of exposures are"
            " in midpoint_mjd_tdb. [d]"
        ),
    ),
    "COLUMN roman.light_curve_block.exposure_id": (
        (
            "Exposures in order of time."
        ),
        (
            "Exposures in order of time; of external light curves negative numbers that are no "
            "exposures."
        ),
    ),
}
"""What is described: before, and after."""


def upgrade() -> None:
    """Let blocks be without field and detector, if they are external."""
    for column in ("field_id", "detector"):
        op.alter_column("light_curve_block", column, nullable=True, schema="roman")
    _replace_checks(", 'external'")
    op.create_check_constraint(
        op.f("light_curve_block_of_detector_check"), "light_curve_block", _OF_DETECTOR, schema="roman"
    )
    _describe(1)


def downgrade() -> None:
    """Go back; with external light curves in the database this fails, and changes nothing."""
    op.drop_constraint(op.f("light_curve_block_of_detector_check"), "light_curve_block", schema="roman")
    _replace_checks("")
    for column in ("field_id", "detector"):
        op.alter_column("light_curve_block", column, nullable=False, schema="roman")
    _describe(0)


def _replace_checks(more: str) -> None:
    """Let kinds be others."""
    for (table, column), condition in _CHECKS.items():
        name = op.f(f"{table}_{column}_check")
        op.drop_constraint(name, table, schema="roman")
        op.create_check_constraint(name, table, condition.format(more), schema="roman")


def _describe(which: int) -> None:
    """Describe as before (0) or after (1)."""
    for what, texts in _COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{texts[which]}'")
