"""Products that can be exported: what RAD calls them, of what they are, and which queries fill them."""

from __future__ import annotations

from dataclasses import dataclass

from roman_db.query.error import QueryError

FORMATS = ("asdf", "parquet")


@dataclass(frozen=True)
class Once:
    """Columns of lists that all rows have alike, and the name of the table of ASDF that has them once."""

    node: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Product:
    """A kind of product.

    Parameters
    ----------
    name
        Name on the command line, in the names of files and of ``queries/exports``: RAD's without
        ``wfi_microlensing`` or ``wfi`` and, where there is but one, the level.
    schema
        Schema of RAD.
    table
        Table of the archive in which it has a row, as RAD names it.
    model_type
        RAD's keyword of that name; None where the schema has none.
    keywords
        Queries below ``queries/exports/keywords`` that give its keywords.
    scope
        What is to be said of a product.
    optional
        What may be said beyond that.
    parts
        Query below ``queries/exports/parts`` that finds what of the scope is not said: there is a file for
        each of its rows.
    formats
        Formats that it is written in.
    once
        Columns that are the same in all rows, which ASDF has once.
    is_padded
        Whether lists differ in length: in ASDF the shorter ones have NaN behind them.
    has_file
        Whether columns of arrays are in a registered file, which the keywords name, beside those of the
        query.
    """

    name: str
    schema: str
    table: str
    model_type: str | None
    keywords: tuple[str, ...]
    scope: tuple[str, ...] = ("season",)
    optional: tuple[str, ...] = ()
    parts: str | None = None
    formats: tuple[str, ...] = FORMATS
    once: Once | None = None
    is_padded: bool = False
    has_file: bool = False

    @property
    def is_image(self) -> bool:
        """Whether it is a file that is stored, and no table."""
        return self.formats == ("asdf",)


#: What a product of one detector needs.
_OBSERVED = ("season", "field", "detector", "element")
_MSOS, _GDPS = "SSC/MSOS/wfi_microlensing", "SSC/GDPS/wfi"
#: Each exposure is at one place of all light curves of a file.
_EPOCHS = Once("epochs", ("exposure_id", "midpoint_mjd_tdb", "midpoint_bjd_tdb"))
_LINES = Once("lines", ("line_name", "line_wavelength"))


def _level_4(
    name: str,
    model: str,
    keywords: tuple[str, ...],
    scope: tuple[str, ...] = ("season",),
    once: Once | None = None,
) -> Product:
    """Product of level 4 of the Bulge."""
    schema = f"{_MSOS}_{name}_level_4-1.0.0"
    table = "WFIMSOSDetectionEfficiencyCatalog" if name.startswith("detection") else "WFIMSOSCatalog"
    return Product(name, schema, table, f"Microlensing{model}Schema", keywords, scope, once=once)


def _season_quality(name: str, subject: str) -> Product:
    """Quality of a season."""
    return Product(
        name, f"{_MSOS}_{name}-1.0.0", "WFIMSOSDQA", f"MicrolensingDQA{subject}Schema", ("dqa_season",)
    )


def _of_exposure(
    name: str, table: str = "WFISpec", *, is_padded: bool = False, has_file: bool = False
) -> Product:
    """Product of the spectra of a dispersed exposure."""
    return Product(
        name,
        f"{_GDPS}_{name}_level_4-1.0.0",
        table,
        None,
        ("spec_exposure",),
        ("exposure",),
        ("program", "detector", "element"),
        parts="spec_exposure",
        is_padded=is_padded,
        has_file=has_file,
    )


def _of_program(name: str, table: str = "WFISpecCatalog", once: Once | None = None) -> Product:
    """Product of the combined spectra of a program in an optical element."""
    return Product(
        name,
        f"{_GDPS}_{name}_level_4-1.0.0",
        table,
        None,
        ("spec_program",),
        ("program", "element", "file_number"),
        parts="spec_program",
        once=once,
    )


PRODUCTS = {
    product.name: product
    for product in (
        Product(
            "reference_frame",
            f"{_MSOS}_reference_frame_level_3-1.0.0",
            "WFIMSOSReferenceFrame",
            "MicrolensingReferenceFrameSchema",
            ("season", "reference_frame"),
            _OBSERVED,
            optional=("sequence",),
            formats=("asdf",),
        ),
        _level_4("object_fiducial_catalog", "ObjectFiducialCatalog", ("observed",), _OBSERVED),
        _level_4("object_periodic_catalog", "ObjectPeriodicCatalog", ("observed",), (*_OBSERVED, "sequence")),
        _level_4("light_curve_catalog", "LightCurveCatalog", ("observed",), _OBSERVED, _EPOCHS),
        _level_4("variability_catalog", "VariabilityCatalog", ("season",)),
        _level_4("event_catalog", "EventCatalog", ("season",)),
        _level_4(
            "detection_efficiency_catalog",
            "DetectionEfficiencyCatalog",
            ("season", "detection_efficiency"),
            ("season", "medium"),
        ),
        Product(
            "dqa_photometry_level_3",
            f"{_MSOS}_dqa_photometry_level_3-1.0.0",
            "WFIMSOSDQA",
            "MicrolensingDQAPhotometrySchema",
            ("dqa_photometry",),
            (*_OBSERVED, "sequence"),
        ),
        _season_quality("dqa_photometry_level_4", "Photometry"),
        _season_quality("dqa_events_level_4", "Events"),
        _of_exposure("spec_location_table", "WFISpecLocation"),
        _of_exposure("spec_individual_1d", is_padded=True),
        _of_exposure("spec_decontam_2d", is_padded=True, has_file=True),
        _of_exposure("spec_dqa_2d"),
        _of_program("spec_combined_1d", "WFISpec"),
        _of_program("spec_catalog", once=_LINES),
        _of_program("spec_catalog_dqa"),
    )
}


def find(name: str) -> Product:
    """Return the product of a name.

    Raises
    ------
    QueryError
        If there is none.
    """
    if name not in PRODUCTS:
        raise QueryError(f"there is no product {name!r}: {', '.join(PRODUCTS)}")
    return PRODUCTS[name]
