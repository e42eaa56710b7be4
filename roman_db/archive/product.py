"""Products that can be exported: what RAD calls them, of what they are, and which queries fill them."""

from __future__ import annotations

from dataclasses import dataclass

from roman_db.query.error import QueryError

FORMATS = ("asdf", "parquet")


@dataclass(frozen=True)
class Product:
    """A kind of product.

    Parameters
    ----------
    name
        Name on the command line, in the names of files and of ``queries/exports``: RAD's without
        ``wfi_microlensing`` and, where there is but one, the level.
    schema
        Schema of RAD.
    table
        Table of the archive in which it has a row, as RAD names it.
    model_type
        RAD's keyword of that name.
    keywords
        Queries below ``queries/exports/keywords`` that give its keywords.
    scope
        What is to be said of a product beyond the season.
    optional
        What may be said beyond that.
    formats
        Formats that it is written in.
    shared
        Columns that are the same in all rows, which ASDF has once.
    """

    name: str
    schema: str
    table: str
    model_type: str
    keywords: tuple[str, ...]
    scope: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    formats: tuple[str, ...] = FORMATS
    shared: tuple[str, ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether it is a file that is stored, and no table."""
        return self.formats == ("asdf",)


#: What a product of one detector needs.
_OBSERVED = ("field", "detector", "element")
_MSOS = "SSC/MSOS/wfi_microlensing"
#: Each exposure is at one place of all light curves of a file.
_EPOCHS = ("exposure_id", "midpoint_mjd_tdb", "midpoint_bjd_tdb")


def _level_4(
    name: str,
    model: str,
    keywords: tuple[str, ...],
    scope: tuple[str, ...] = (),
    shared: tuple[str, ...] = (),
) -> Product:
    """Product of level 4."""
    schema = f"{_MSOS}_{name}_level_4-1.0.0"
    table = "WFIMSOSDetectionEfficiencyCatalog" if name.startswith("detection") else "WFIMSOSCatalog"
    return Product(name, schema, table, f"Microlensing{model}Schema", keywords, scope, shared=shared)


def _season_quality(name: str, subject: str) -> Product:
    """Quality of a season."""
    return Product(
        name, f"{_MSOS}_{name}-1.0.0", "WFIMSOSDQA", f"MicrolensingDQA{subject}Schema", ("dqa_season",)
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
            ("medium",),
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
