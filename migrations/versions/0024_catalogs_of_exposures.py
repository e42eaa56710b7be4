"""Static catalogs of exposures, and light curves from mosaics: blocks that have no detector, either."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_KINDS = "photometry_kind IN ('psf', 'psf_free', 'aperture', 'dia', 'refined'{}, 'external')"
_OF_DETECTOR = (
    "(photometry_kind = 'external') = (detector IS NULL) AND (photometry_kind = 'external') = (field_id IS NULL)",
    "(photometry_kind IN ('psf_mosaic', 'aperture_mosaic', 'external')) = (detector IS NULL) "
    "AND (detector IS NULL) = (field_id IS NULL)",
)

_COMMENTS = {
    "COLUMN roman.light_curve_block.detector": (
        (
            "Detector; empty for light curves that others measured."
        ),
        (
            "Detector; empty for light curves that others measured, and of mosaics."
        ),
    ),
    "COLUMN roman.light_curve_block.exposure_id": (
        (
            "Exposures in order of time; of external light curves negative numbers that are no exposures."
        ),
        (
            "Exposures in order of time; of mosaics their mosaic_id below zero, of external light curves "
            "negative numbers that are no exposures."
        ),
    ),
    "COLUMN roman.light_curve_block.field_id": (
        (
            "Field; empty for light curves that others measured."
        ),
        (
            "Field; empty for light curves that others measured, and of mosaics."
        ),
    ),
    "COLUMN roman.light_curve_block.midpoint_mjd_tdb": (
        (
            "Midpoints at the observatory, MJD TDB. [d]"
        ),
        (
            "Midpoints at the observatory, MJD TDB; of mosaics the mean time of their exposures. [d]"
        ),
    ),
    "COLUMN roman.light_curve_block.photometry_kind": (
        (
            "psf for PSF photometry of the exposure at the catalogued positions, psf_free where the "
            "positions of bright stars were fitted with the fluxes, aperture for sums in a circle about the "
            "catalogued positions, dia for photometry of its difference from a reference, refined for events"
            " and their close neighbours with all other stars solved once from all exposures, external for "
            "light curves that others measured."
        ),
        (
            "psf for PSF photometry of the exposure at the catalogued positions, psf_free where the "
            "positions of bright stars were fitted with the fluxes, aperture for sums in a circle about the "
            "catalogued positions, dia for photometry of its difference from a reference, refined for events"
            " and their close neighbours with all other stars solved once from all exposures, psf_mosaic and"
            " aperture_mosaic for the same as psf and aperture in mosaics, external for light curves that "
            "others measured."
        ),
    ),
    "COLUMN roman.light_curve_block.psf_model_id": (
        (
            "PSF that each exposure was measured with, as in roman.psf_model; an element is empty where the "
            "PSF of the optics served because the library had none, or where none was used, and 0 where a "
            "release before 0003 of the schema did not record it."
        ),
        (
            "PSF that each exposure was measured with, as in roman.psf_model; an element is empty where the "
            "PSF of the optics served because the library had none, or where none or the mean of several was"
            " used, and 0 where a release before 0003 of the schema did not record it."
        ),
    ),
    "COLUMN roman.source.object_distance": (
        (
            "Distance from the place of the object at the epoch of the mosaics, as it was known before; 0 "
            "for a new one. [arcsec]"
        ),
        (
            "Distance from the place of the object at the epoch of the images, as it was known before; 0 for"
            " a new one. [arcsec]"
        ),
    ),
    "COLUMN roman.source.object_id": (
        (
            "Object that it is; empty for one that is no known object, and whose peak_snr is below 6 or "
            "which the edge of the mosaic cuts."
        ),
        (
            "Object that it is; empty for one that is no known object, and whose peak_snr is below 6 or "
            "which the edge of the mosaic cuts. In an exposure all that are no known object have none."
        ),
    ),
    "COLUMN roman.source_catalog.epoch_mjd_tdb": (
        (
            "Mean time of the mosaics, MJD TDB, to which the positions belong. [d]"
        ),
        (
            "Mean time of the mosaics, or midpoint of the exposure, MJD TDB, to which the positions belong. "
            "[d]"
        ),
    ),
    "COLUMN roman.source_catalog.n_new": (
        (
            "Sources that became new objects."
        ),
        (
            "Sources that became new objects; none of an exposure do."
        ),
    ),
    "COLUMN roman.source_catalog.set_name": (
        (
            "Set of mosaics, as in roman.mosaic."
        ),
        (
            "Set of mosaics, as in roman.mosaic; of an exposure the name of its file without ending and "
            "level."
        ),
    ),
    "COLUMN roman.source_catalog.sky_cell_id": (
        (
            "Grid of the mosaics."
        ),
        (
            "Grid of the mosaics; empty of an exposure."
        ),
    ),
    "COLUMN roman.source_catalog.superseded_at": (
        (
            "When a catalog of the same set replaced it; empty while it is current."
        ),
        (
            "When a catalog of the same set or exposure replaced it; empty while it is current."
        ),
    ),
    "TABLE roman.source_catalog": (
        (
            "Static catalogs: detections on the mosaics of one set, with their products."
        ),
        (
            "Static catalogs: detections on the mosaics of one set, or on a single exposure, with their "
            "products."
        ),
    ),
}
"""What is described: before, and after."""


def upgrade() -> None:
    """Let a catalog be of an exposure, and a block of a mosaic."""
    op.create_table('source_catalog_exposure',
    sa.Column('source_catalog_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Catalog.'),
    sa.Column('exposure_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Exposure.'),
    sa.Column('file_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='File of the exposure that was measured.'),
    sa.Column('psf_model_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='PSF of the exposure; empty where the PSF of the optics served.'),
    sa.Column('psf_fwhm', sa.REAL(), autoincrement=False, nullable=False, comment='Full width at half maximum of a Gaussian that fits the PSF in the middle of the detector best. [arcsec]'),
    sa.Column('n_source', sa.Integer(), autoincrement=False, nullable=False, comment='Sources of the catalog whose places are on the exposure.'),
    sa.Column('forced_path', sa.Text(), autoincrement=False, nullable=True, comment='Product: what was measured in the exposure at the places of these sources, as RAD has it (Parquet); empty where the catalog is of this exposure.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['exposure_id'], ['roman.exposure.exposure_id'], name=op.f('source_catalog_exposure_exposure_id_fkey')),
    sa.ForeignKeyConstraint(['file_id'], ['ops.input_file.file_id'], name=op.f('source_catalog_exposure_file_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('source_catalog_exposure_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['psf_model_id'], ['roman.psf_model.psf_model_id'], name=op.f('source_catalog_exposure_psf_model_id_fkey')),
    sa.ForeignKeyConstraint(['source_catalog_id'], ['roman.source_catalog.source_catalog_id'], name=op.f('source_catalog_exposure_source_catalog_id_fkey')),
    sa.PrimaryKeyConstraint('source_catalog_id', 'exposure_id', name=op.f('source_catalog_exposure_pkey')),
    schema='roman',
    comment='Exposures in which the sources of a static catalog were measured, and with which PSF: that of the catalog itself, and those that a catalog of mosaics was forced on.'
    )
    op.create_index('source_catalog_exposure_exposure_idx', 'source_catalog_exposure', ['exposure_id'], unique=False, schema='roman')
    op.alter_column("source_catalog", "sky_cell_id", nullable=True, schema="roman")
    op.add_column(
        "source_catalog",
        sa.Column("exposure_id", sa.BigInteger(), nullable=True, comment=(
            "Exposure that it is of; empty of mosaics. Which file of it was measured stands in "
            "roman.source_catalog_exposure."
        )),
        schema="roman",
    )
    op.create_foreign_key(
        op.f("source_catalog_exposure_id_fkey"), "source_catalog", "exposure", ["exposure_id"], ["exposure_id"],
        source_schema="roman", referent_schema="roman",
    )
    op.create_check_constraint(
        op.f("source_catalog_of_image_check"), "source_catalog",
        "(sky_cell_id IS NULL) <> (exposure_id IS NULL)", schema="roman",
    )
    op.create_index("source_catalog_exposure_id_idx", "source_catalog", ["exposure_id"], schema="roman")
    _replace_checks(", 'psf_mosaic', 'aperture_mosaic'", 1)
    _describe(1)


def downgrade() -> None:
    """Go back; with catalogs of exposures or light curves from mosaics this fails, and changes nothing."""
    _replace_checks("", 0)
    op.alter_column("source_catalog", "sky_cell_id", nullable=False, schema="roman")
    op.drop_column("source_catalog", "exposure_id", schema="roman")
    op.drop_table("source_catalog_exposure", schema="roman")
    _describe(0)


def _replace_checks(more: str, which: int) -> None:
    """Let kinds of photometry be others, and others of them have no detector."""
    conditions = {"photometry_kind": _KINDS.format(more), "of_detector": _OF_DETECTOR[which]}
    for check, condition in conditions.items():
        name = op.f(f"light_curve_block_{check}_check")
        op.drop_constraint(name, "light_curve_block", schema="roman")
        op.create_check_constraint(name, "light_curve_block", condition, schema="roman")


def _describe(which: int) -> None:
    """Describe as before (0) or after (1)."""
    for what, texts in _COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{texts[which]}'")
